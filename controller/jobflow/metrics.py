"""Metrics of flows and steps: their number by phase, phase changes, waiting and running times."""

from collections import Counter as Tally
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from shared.key import Key, key_of
from shared.kube.cache.cache import Cache
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import FlowPhase, StepPhase
from shared.model.types import Body
from shared.timestamp import epoch_or_none

SECONDS: Final = (1, 5, 15, 30, 60, 150, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)

FLOWS: Final = Gauge("jobflow_flows", "Flows by phase; each replica counts them all.", ["phase"])
STEPS: Final = Gauge("jobflow_current_steps", "Steps of these flows by phase; each replica counts them all.", ["phase"])
CHANGES: Final = Counter("jobflow_steps_total", "Steps that entered a phase, counted when it was stored.", ["phase"])
APPROVALS: Final = Counter("jobflow_approvals_total", "Answers of people, and time-outs, by decision.", ["decision"])
WAIT: Final = Histogram(
    "jobflow_step_wait_seconds", "From the creation of a step's Job to running pods.", buckets=SECONDS
)
RUN: Final = Histogram(
    "jobflow_step_run_seconds", "From the creation of a step's Job to the end of the step.", ["phase"], buckets=SECONDS
)

_FLOW_NAMES: Final = {phase.value: phase for phase in FlowPhase}
_STEP_NAMES: Final = {phase.value: phase for phase in StepPhase}
_FLOW_PHASES: Final = {phase: FLOWS.labels(phase.value) for phase in FlowPhase}
_STEP_PHASES: Final = {phase: STEPS.labels(phase.value) for phase in StepPhase}
_CHANGES: Final = {phase: CHANGES.labels(phase.value) for phase in StepPhase}


class FlowGauges:
    """Counts the flows of a cache. Replicas that do not lead count too, so a new leader has no gap."""

    def __init__(self, flows: Cache) -> None:
        self._counted: dict[Key, tuple[FlowPhase, Tally[StepPhase]]] = {}
        flows.on_change(self.changed)

    def changed(self, old: Body | None, new: Body | None) -> None:
        """A flow in the cache was added, changed or removed."""
        body = new if new is not None else old
        if body is None:
            return
        self._add(self._counted.pop(key_of(body), None), -1)
        if new is not None:
            self._counted[key_of(new)] = counted = _count(new)
            self._add(counted, 1)

    def _add(self, counted: tuple[FlowPhase, Tally[StepPhase]] | None, sign: int) -> None:
        if counted is None:
            return
        _FLOW_PHASES[counted[0]].inc(sign)
        for phase, number in counted[1].items():
            _STEP_PHASES[phase].inc(sign * number)


def count_changes(before: JobFlowStatus, after: JobFlowStatus, now: float) -> None:
    """Count the phase changes between two stored statuses. `now`: epoch seconds."""
    known = {step.name: step for step in before.steps}
    for step in after.steps:
        old = known.get(step.name)
        if step.approval is not None and (old is None or old.approval != step.approval):
            APPROVALS.labels(step.approval.decision).inc()
        if old is not step and (old is None or old.phase is not step.phase):
            _note(old.phase if old is not None else StepPhase.WAITING, step, now)


def _note(old: StepPhase, step: StepStatus, now: float) -> None:
    _CHANGES[step.phase].inc()
    begun, ended = epoch_or_none(step.start_time), epoch_or_none(step.completion_time)
    if begun is None or step.phase is StepPhase.SKIPPED:
        return
    if step.phase is StepPhase.RUNNING and old in (StepPhase.WAITING, StepPhase.PENDING):
        WAIT.observe(max(0.0, now - begun))
    if step.phase.ended and ended is not None:
        RUN.labels(step.phase.value).observe(max(0.0, ended - begun))


def _count(body: Body) -> tuple[FlowPhase, Tally[StepPhase]]:
    """Count leniently: other writers may have stored any status, and unknown phases are ignored."""
    status = body.get("status") or {}
    flow = _FLOW_NAMES.get(str((status.get("state") or {}).get("phase")), FlowPhase.PENDING)
    steps = (_STEP_NAMES.get(str(step.get("phase"))) for step in status.get("steps") or ())
    return flow, Tally(phase for phase in steps if phase)
