"""One log line per refusal and per warning, with user, operation, object, rules, policies with their rules, and exceptions.

`uid` is that of the request, `object_uid` that of the object. Lines hold no object bodies and no message texts, because
messages quote values of the object. A request that is answered with an HTTP error (wrong path, no AdmissionReview, too large, too
slow, internal error) has a line with its path and the HTTP status. Above a rate, lines are left out. The next line counts them,
or a line of its own if no other follows.
"""

import logging
from collections.abc import Callable
from typing import Final

from shared.model.phases import PolicyMode
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, name_of

LOG: Final = logging.getLogger(__name__)
LINES_PER_SECOND: Final = 20.0
BURST: Final = 200.0
_COUNT_SECONDS: Final = 2.0
_LONGEST: Final = 253  # characters of a user or object name

Later = Callable[[float, Callable[[], None]], object]
"""Calls the function after so many seconds."""


class DecisionLog:
    """Writes the lines. After a burst, at most `rate` lines a second are written.

    `clock`: monotonic seconds. `later`: calls the function that writes the number of lines left out.
    """

    def __init__(
        self, clock: Callable[[], float], later: Later, rate: float = LINES_PER_SECOND, burst: float = BURST
    ) -> None:
        self._decisions = LineRate(clock, later, rate, burst)
        # A rate of its own, so that the requests of a port scanner do not suppress lines about decisions.
        self._requests = LineRate(clock, later, rate, burst)

    def note(self, review: AdmissionReview, verdict: AdmissionVerdict, seconds: float) -> None:
        """Write a line if the verdict refuses or warns. `seconds`: how long it took."""
        if verdict.allowed and not verdict.warnings:
            return
        if not self._decisions.may_write():
            return
        refused = not verdict.allowed
        mode = PolicyMode.ENFORCE if refused else PolicyMode.WARN
        decisive = [found for found in verdict.policies if found.mode is mode and not found.excepted_by]
        line: dict[str, object] = {
            "decision": "refused" if refused else "warned",
            "user": review.user_info.username[:_LONGEST],
            "operation": review.operation.value,
            "kind": f"{review.kind.kind}.{review.kind.group}" if review.kind.group else review.kind.kind,
            "namespace": review.namespace[:_LONGEST],
            "name_": (review.name or name_of(review.object))[:_LONGEST],
            "uid": review.uid[:_LONGEST],
            "object_uid": _uid(review)[:_LONGEST],
            "rules": list(verdict.rules if refused else verdict.warned_by),
            "policies": sorted({found.policy for found in decisive}),
            "policy_rules": sorted({f"{found.policy}/{found.rule}" for found in decisive}),
            "ms": round(seconds * 1000, 1),
        }
        if excepted := sorted({found.excepted_by for found in verdict.policies if found.excepted_by}):
            line["exceptions"] = excepted
        if review.dry_run:
            line["dry_run"] = True
        LOG.info("admission decision", extra={**line, **self._decisions.left_out()})

    def refused_request(self, path: str, code: int, reason: str, size: int | None) -> None:
        """Write a line for a request that was answered with an HTTP error. `size`: bytes of its body, if stated."""
        if not self._requests.may_write():
            return
        line = {"decision": "refused", "path": path[:_LONGEST], "code": code, "reason": reason, "bytes": size}
        LOG.info("admission request refused", extra={**line, **self._requests.left_out()})


class LineRate:
    """A bucket of lines that refills. It counts the lines that found it empty."""

    def __init__(self, clock: Callable[[], float], later: Later, rate: float, burst: float) -> None:
        self._clock = clock
        self._later = later
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._since = clock()
        self._suppressed = 0
        self._count_is_due = False

    def left_out(self) -> dict[str, int]:
        """The lines that were left out since the last call, as a part of a line."""
        suppressed, self._suppressed = self._suppressed, 0
        return {"suppressed": suppressed} if suppressed else {}

    def may_write(self) -> bool:
        """Take a line from the bucket; False, and counted, if none is left."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._since) * self._rate)
        self._since = now
        if self._left < 1:
            self._suppressed += 1
            self._count_later()
            return False
        self._left -= 1
        return True

    def _count_later(self) -> None:
        """Write a line with the count after a while, in case no other line follows."""
        if not self._count_is_due:
            self._count_is_due = True
            self._later(_COUNT_SECONDS, self._count)

    def _count(self) -> None:
        self._count_is_due = False
        if counted := self.left_out():
            LOG.info("admission decisions left out", extra=counted)


def _uid(review: AdmissionReview) -> str:
    """The uid of the object, '' if it has none yet."""
    for body in (review.object, review.old_object):
        metadata = (body or {}).get("metadata")
        uid = metadata.get("uid") if isinstance(metadata, dict) else None
        if isinstance(uid, str) and uid:
            return uid
    return ""
