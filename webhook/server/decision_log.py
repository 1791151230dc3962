"""One log line per refusal and per warning, with user, operation, object, rules, policies with their rules, and exceptions.

`uid` is that of the request, `object_uid` that of the object. Lines hold no object bodies and no message texts, because
messages quote values of the object. Above a rate, lines are left out and the next line counts them.
"""

import logging
from collections.abc import Callable
from typing import Final

from shared.model.phases import PolicyMode
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, name_of

LOG: Final = logging.getLogger(__name__)
LINES_PER_SECOND: Final = 20.0
BURST: Final = 200.0
_LONGEST: Final = 253  # characters of a user or object name


class DecisionLog:
    """Writes the lines. `clock`: monotonic seconds. After a burst, at most `rate` lines a second are written."""

    def __init__(self, clock: Callable[[], float], rate: float = LINES_PER_SECOND, burst: float = BURST) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._since = clock()
        self._suppressed = 0

    def note(self, review: AdmissionReview, verdict: AdmissionVerdict, seconds: float) -> None:
        """Write a line if the verdict refuses or warns. `seconds`: how long it took."""
        if verdict.allowed and not verdict.warnings:
            return
        if not self._may_write():
            self._suppressed += 1
            return
        refused = not verdict.allowed
        mode = PolicyMode.ENFORCE if refused else PolicyMode.WARN
        decisive = [found for found in verdict.policies if found.mode is mode and not found.excepted_by]
        line = {
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
        if self._suppressed:
            line["suppressed"] = self._suppressed
            self._suppressed = 0
        LOG.info("admission decision", extra=line)

    def _may_write(self) -> bool:
        """Take a token of the bucket, if one is left."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._since) * self._rate)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _uid(review: AdmissionReview) -> str:
    """The uid of the object, '' if it has none yet."""
    for body in (review.object, review.old_object):
        metadata = (body or {}).get("metadata")
        uid = metadata.get("uid") if isinstance(metadata, dict) else None
        if isinstance(uid, str) and uid:
            return uid
    return ""
