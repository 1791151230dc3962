"""Fault injection: a list of rules, each of which makes matching requests fail in one way. Seeded, so repeatable."""

import asyncio
import random
from dataclasses import asdict, dataclass, fields
from typing import Any

from local.apiserver.call import ApiRequest
from local.apiserver.errors import StatusError, bad_request, conflict, too_many_requests
from shared.model.types import Body

ERRORS = ("403", "409", "429", "500", "503")
LATE = ("late-answer", "timeout-after-commit")
KINDS = (*ERRORS, *LATE, "latency", "reset", "reset-after-commit", "stale-list", "expire-continue")
WATCH_KINDS = ("watch-drop", "watch-410", "watch-delay", "watch-duplicate")


@dataclass
class InjectedFault:
    """One rule. `kind`: an HTTP code, or a name in KINDS or WATCH_KINDS. It is injected into a matching request with
    `probability`, at most `count` times (None: without limit). Empty `verbs`, `resources`, `users`: all.
    `seconds`: latency, delay of watch events or of the answer to a committed write, or Retry-After. `revisions`: how far
    back a stale list looks. `key`: any name that the caller gives it; `injected`: how often it was."""

    kind: str
    probability: float = 1.0
    count: int | None = None
    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    seconds: float = 1.0
    revisions: int = 10
    key: str = ""
    injected: int = 0

    def matches(self, call: ApiRequest) -> bool:
        shown = f"{call.resource.plural}/{call.subresource}" if call.subresource else call.resource.plural
        return (
            (not self.verbs or call.verb in self.verbs)
            and (not self.resources or shown in self.resources)
            and (not self.users or call.user.name in self.users)
            and (not self.names or call.name in self.names)
        )


class FaultInjector:
    """The active faults. None is injected into requests on /testing or of the server's own controllers."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.active: list[InjectedFault] = []

    def seed(self, seed: int) -> None:
        self.random = random.Random(seed)

    def add(self, fault: InjectedFault) -> InjectedFault:
        if fault.kind not in KINDS + WATCH_KINDS:
            raise bad_request(f"unknown fault kind {fault.kind!r}; known: {', '.join(KINDS + WATCH_KINDS)}")
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        self.active.clear()

    def load(self, raw: list[Body]) -> None:
        """Replace all faults by those of a JSON document."""
        known = {found.name for found in fields(InjectedFault)}
        self.clear()
        for item in raw:
            if unknown := set(item) - known:
                raise bad_request(f"unknown fault fields {sorted(unknown)}; known: {sorted(known)}")
            given: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in item.items()
            }
            self.add(InjectedFault(**given))

    def dump(self) -> list[Body]:
        return [asdict(fault) for fault in self.active]

    def choose(self, call: ApiRequest, kinds: tuple[str, ...]) -> InjectedFault | None:
        """The first fault of these kinds to inject into the request, which is counted."""
        if not self.active or call.internal:
            return None
        for fault in self.active:
            if fault.kind not in kinds or not fault.matches(call):
                continue
            if fault.count is not None and fault.injected >= fault.count:
                continue
            if fault.probability < 1 and self.random.random() >= fault.probability:
                continue
            fault.injected += 1
            return fault
        return None

    def error(self, call: ApiRequest) -> StatusError | None:
        """The error this request is answered instead of being served."""
        fault = self.choose(call, ERRORS)
        if fault is None:
            return None
        if fault.kind == "403":
            said = 'admission webhook "other.example.com" denied the request: injected fault'
            return StatusError(403, "Forbidden", said, {})
        if fault.kind == "409":
            return conflict(*call.gr, call.name)
        if fault.kind == "429":
            return too_many_requests(max(1, int(fault.seconds)))
        if fault.kind == "503":
            message = "the server is currently unable to handle the request"
            return StatusError(503, "ServiceUnavailable", message, {"retryAfterSeconds": 1}, {"Retry-After": "1"})
        return StatusError(500, "InternalError", "Internal error occurred: injected fault", {})

    async def answer_late(self, call: ApiRequest) -> None:
        """Delay the answer to a request that has been carried out. Raises StatusError 504 instead of some answers."""
        fault = self.choose(call, LATE)
        if fault is None:
            return
        await asyncio.sleep(fault.seconds)
        if fault.kind == "timeout-after-commit":
            raise StatusError(504, "Timeout", "Timeout: request did not complete within the allotted timeout", {})

    def stale_list(self, call: ApiRequest, rv: int) -> int | None:
        fault = self.choose(call, ("stale-list",))
        return max(1, rv - fault.revisions) if fault is not None else None

    def expire_continue(self, call: ApiRequest) -> bool:
        return self.choose(call, ("expire-continue",)) is not None
