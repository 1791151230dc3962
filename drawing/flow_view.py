"""The view of a JobFlow that is drawn as a tree or picture: spec, status and pods in one frozen model. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from drawing.volcano_status import step_states
from shared import ranges
from shared.codec.api_words import fault_text
from shared.graphs import flow_graph
from shared.model.flow import JobFlowSpec
from shared.model.flow_status import FlowPods, JobFlowStatus, StepStatus
from shared.model.phases import FlowPhase, StepPhase
from shared.model.step import Step
from shared.model.types import Body
from shared.names import JOB_NAME
from shared.naming import job_name
from shared.podstatus.taskstatus import TaskStatus, task_status
from shared.timestamp import epoch_or_none

Tasks = Mapping[TaskStatus, int]
ENDED: Final = (FlowPhase.SUCCEED, FlowPhase.FAILED)
_RETRY: Final = re.compile(r"-r[1-9]\d*$")
_INDEX: Final = re.compile(r"-(0|[1-9]\d*)$")
_NO_PODS: Final = FlowPods()


class Unreadable(Exception):
    """The object's spec does not match the schema; the message names the field."""


class StepView(msgspec.Struct, frozen=True):
    """One step. `targets`: the steps it waits for, including switches; `kind`: switch, for, daemon, flow, resource,
    approve or ''; times in seconds since 1970; `waiting`: what it waits for, from status.next; `done`, `total`: iterations, total -1
    when unknown.
    """

    name: str
    targets: tuple[str, ...] = ()
    final: bool = False
    kind: str = ""
    phase: StepPhase = StepPhase.WAITING
    reason: str = ""
    message: str = ""
    started: float | None = None
    ended: float | None = None
    attempts: int = 0
    waiting: tuple[str, ...] = ()
    done: int = 0
    total: int = 0
    chosen: tuple[str, ...] | None = None
    outputs: Mapping[str, str] = {}
    tasks: Tasks = {}

    @property
    def active(self) -> bool:
        """Whether it has started and not ended, or is about to start."""
        return bool(self.waiting) or not (self.phase.ended or self.phase is StepPhase.WAITING)


class FlowView(msgspec.Struct, frozen=True):
    """The whole flow; `steps` in the order of the spec, `finally` last."""

    namespace: str
    name: str
    phase: FlowPhase
    steps: tuple[StepView, ...]
    reason: str = ""
    message: str = ""
    started: float | None = None
    ended: float | None = None
    pods: FlowPods = _NO_PODS

    @property
    def over(self) -> bool:
        """Whether nothing will change any more: the flow and all its steps have ended."""
        return self.phase in ENDED

    @property
    def edges(self) -> dict[str, tuple[str, ...]]:
        return {step.name: step.targets for step in self.steps}


def flow_view(body: Body, tasks: Mapping[str, Tasks] | None = None) -> FlowView:
    """The view of a raw JobFlow; `tasks`: number of pods by Task status, for each step. Raises Unreadable."""
    spec = _spec(body)
    status = _status(body)
    metadata = body.get("metadata") or {}
    states = step_states(status, first_jobs(body))
    words = {step.name: step.waiting_for for step in status.next}
    edges = flow_graph.edges(spec)
    seen = tasks or {}

    def view(step: Step, final: bool) -> StepView:
        state = states.get(step.name) or StepStatus(name=step.name)
        return _step(step, state, edges.get(step.name, ()), final, words.get(step.name, ()), seen.get(step.name, {}))

    return FlowView(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or metadata.get("generateName") or ""),
        phase=status.state.phase or FlowPhase.PENDING,
        steps=(*(view(step, False) for step in spec.flows), *(view(step, True) for step in spec.finally_)),
        reason=status.state.reason,
        message=status.state.message,
        started=epoch_or_none(status.start_time),
        ended=epoch_or_none(status.completion_time),
        pods=status.pods or _NO_PODS,
    )


def tasks_by_step(body: Body, pods: Iterable[Body]) -> dict[str, Counter[TaskStatus]]:
    """The number of pods of each step in each of the ten Task states."""
    names = first_jobs(body)
    found: dict[str, Counter[TaskStatus]] = {}
    for pod in pods:
        step = step_of(job_of(pod), names)
        if step:
            found.setdefault(step, Counter())[task_status(pod)] += 1
    return found


def job_of(pod: Body) -> str:
    """The name of the Job that a pod belongs to; '' for other pods."""
    return str(((pod.get("metadata") or {}).get("labels") or {}).get(JOB_NAME, ""))


def first_jobs(body: Body) -> dict[str, str]:
    """The step of each name that a first attempt without an index can have."""
    flow = str((body.get("metadata") or {}).get("name") or "")
    spec = body.get("spec") or {}
    return {
        job_name(flow, str(step.get("name"))): str(step.get("name"))
        for field in ("flows", "finally")
        for step in spec.get(field) or ()
    }


def step_of(job: str, names: Mapping[str, str]) -> str:
    """FLOW-STEP[-INDEX][-rN] -> STEP; '' for a Job of no step. `names`: of `first_jobs`."""
    without_retry = _RETRY.sub("", job)
    for name in (job, without_retry, _INDEX.sub("", without_retry), _INDEX.sub("", job)):
        if name in names:
            return names[name]
    return ""


def _step(
    step: Step, state: StepStatus, targets: tuple[str, ...], final: bool, words: tuple[str, ...], tasks: Tasks
) -> StepView:
    iterations = state.iterations
    return StepView(
        name=step.name,
        targets=targets,
        final=final,
        kind=_kind(step),
        phase=state.phase,
        reason=state.reason,
        message=state.message or (state.last_attempt.message if state.last_attempt and state.phase.ended else ""),
        started=epoch_or_none(state.start_time),
        ended=epoch_or_none(state.completion_time),
        attempts=max(state.attempts - state.attempt_base, 0),
        waiting=() if state.phase.ended else words,
        done=ranges.count(iterations.completed_indexes) + ranges.count(iterations.failed_indexes) if iterations else 0,
        total=0 if iterations is None else -1 if iterations.total is None else iterations.total,
        chosen=state.chosen,
        outputs=state.outputs,
        tasks=tasks,
    )


def _kind(step: Step) -> str:
    kinds = {
        "switch": step.switch,
        "for": step.for_,
        "daemon": step.daemon,
        "flow": step.flow,
        "resource": step.resource,
        "approve": step.approve,
    }
    return next((name for name, field in kinds.items() if field), "")


def _spec(body: Body) -> JobFlowSpec:
    try:
        return msgspec.convert(body.get("spec") or {}, JobFlowSpec)
    except msgspec.ValidationError as error:
        raise Unreadable(fault_text(str(error), "spec")) from error


def _status(body: Body) -> JobFlowStatus:
    try:
        return msgspec.convert(body.get("status") or {}, JobFlowStatus)
    except msgspec.ValidationError:
        return JobFlowStatus()
