"""The head of a JobFlow's page: name, phase, progress and reason. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from drawing.flow_view import FlowView, StepView
from shared.model.phases import FlowPhase, StepPhase
from shared.model.types import Body
from shared.timestamp import epoch_or_none

_WRONG: Final = (StepPhase.FAILED, StepPhase.TERMINATED)
_GOING: Final = (StepPhase.RUNNING, StepPhase.PENDING, StepPhase.RETRYING)


class FlowHead(msgspec.Struct, frozen=True):
    """`counts`: steps by phase, in the order of phases, without those that have none; `by_volcano`: the status has
    nothing but what Volcano's own controller writes; `last_command`: why the last Command did not do what was asked."""

    namespace: str
    name: str
    phase: str
    reason: str
    message: str
    outcome: str
    suspended: bool
    over: bool
    ended: int
    total: int
    counts: tuple[tuple[str, int], ...]
    created: float | None
    started: float | None
    completed: float | None
    params: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    pods_running: int
    pods_failed: int
    pods_total: int
    by_volcano: bool
    last_command: str


def flow_head(body: Body, view: FlowView) -> FlowHead:
    metadata, spec, status = body.get("metadata") or {}, body.get("spec") or {}, body.get("status") or {}
    found = [(str(phase), sum(1 for step in view.steps if step.phase is phase)) for phase in StepPhase]
    return FlowHead(
        namespace=view.namespace,
        name=view.name,
        phase=view.phase,
        reason=view.reason,
        message=view.message,
        outcome=str(status.get("outcome") or ""),
        suspended=bool(spec.get("suspend")) or view.phase is FlowPhase.SUSPENDED,
        over=view.over,
        ended=sum(1 for step in view.steps if step.phase.ended),
        total=len(view.steps),
        counts=tuple((phase, count) for phase, count in found if count),
        created=epoch_or_none(metadata.get("creationTimestamp")),
        started=view.started,
        completed=view.ended,
        params=tuple((str(each.get("name")), str(each.get("value", ""))) for each in spec.get("params") or ()),
        labels=_pairs(metadata.get("labels")),
        pods_running=view.pods.running,
        pods_failed=view.pods.failed,
        pods_total=view.pods.total,
        by_volcano=bool(status.get("state")) and "observedGeneration" not in status,
        last_command=_last_command(status),
    )


def _last_command(status: Body) -> str:
    """`Retry: Refused: ...` of the last Command, unless it did what was asked."""
    last: Body = next(reversed(status.get("commandResults") or ()), {})
    if not last or last.get("result") == "Done":
        return ""
    said = (str(last.get("action") or "").removesuffix("JobFlow"), last.get("result"), last.get("message"))
    return ": ".join(str(part) for part in said if part)


def attention(steps: Iterable[StepView]) -> tuple[StepView, ...]:
    """The steps in the order of interest: failed, running, next, the rest."""

    def rank(step: StepView) -> int:
        if step.phase in _WRONG:
            return 0
        if step.phase in _GOING or step.phase is StepPhase.SUSPENDED:
            return 1
        return 2 if step.waiting else 3

    return tuple(sorted(steps, key=rank))


def _pairs(values: Body | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(key), str(value)) for key, value in (values or {}).items()))
