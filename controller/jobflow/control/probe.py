"""`dependsOn.probe`: the step starts while its targets run, as soon as every probe holds (docs/design/jobflow-api.md, section 4)."""

from collections.abc import Iterator, Sequence
from typing import Final

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext, ProbeWanted
from controller.jobflow.model.gate_result import GateResult, StepWait, fail
from controller.jobflow.model.observed import ObservedChild
from controller.jobflow.model.target_outcome import TargetOutcome, target_outcomes, upstream
from shared.codec.plural import number_of
from shared.model.phases import PodPhase
from shared.model.step import HttpGet, Probe, Step, TaskStatusProbe, TcpSocket

# Pod phases that are at or past the one asked for.
_PAST: Final = {
    PodPhase.PENDING: (PodPhase.PENDING, PodPhase.RUNNING, PodPhase.SUCCEEDED, PodPhase.FAILED),
    PodPhase.RUNNING: (PodPhase.RUNNING, PodPhase.SUCCEEDED, PodPhase.FAILED),
    PodPhase.SUCCEEDED: (PodPhase.SUCCEEDED,),
    PodPhase.FAILED: (PodPhase.FAILED,),
}


def of(step: Step) -> Probe | None:
    """The step's probe, if it has one and targets to ask."""
    probe = step.depends_on.probe if step.depends_on else None
    if probe is None or not step.targets:
        return None
    return probe if probe.http_get_list or probe.tcp_socket_list or probe.task_status_list else None


def probe(context: FlowContext, step: Step) -> GateResult | None:
    """None once every probe holds. The step ends when a target ends badly first, or all end and a probe does not hold."""
    found, targets = of(step), tuple(dict.fromkeys(step.targets))
    if found is None:
        return None
    outcomes = target_outcomes(context, targets)
    ended = all(context.steps[name].phase.ended for name in targets)
    if TargetOutcome.BAD in outcomes or (ended and TargetOutcome.OK not in outcomes):
        return upstream(context, targets)
    jobs = _jobs(context, targets)
    if not jobs and not ended:
        context.on_targets.add(step.name)
        return StepWait((f"waits for {', '.join(targets)} to run",))
    failing = (*_statuses(jobs, found), *_network(context, step, jobs, found))
    if not failing:
        return None
    if ended:
        return fail(reasons.PROBE_NOT_MET, f"{', '.join(targets)} ended; {'; '.join(failing)}"[:512])
    return StepWait(failing)


def _jobs(context: FlowContext, targets: Sequence[str]) -> list[ObservedChild]:
    """The latest Jobs of the targets."""
    found: list[ObservedChild] = []
    for name in targets:
        state = context.steps[name]
        current = context.current_jobs(state)
        if not current:
            current = [context.jobs[job] for job in state.jobs[-1:] if job in context.jobs]
        found.extend(current)
    return found


def _tasks(jobs: Sequence[ObservedChild], name: str) -> Iterator[tuple[ObservedChild, str, int]]:
    """(Job, task, pods it needs) for every Job that has the task; an empty name means the first task."""
    for job in jobs:
        task = next((one for one in job.tasks if one.name == (name or one.name)), None)
        if task is not None:
            yield job, task.name, task.needed


def _statuses(jobs: Sequence[ObservedChild], found: Probe) -> tuple[str, ...]:
    return tuple(words for one in found.task_status_list if (words := _status(jobs, one)))


def _status(jobs: Sequence[ObservedChild], wanted: TaskStatusProbe) -> str:
    past = _PAST.get(PodPhase(wanted.phase), ()) if wanted.phase in _PAST else ()
    tasks = list(_tasks(jobs, wanted.task_name))
    if not tasks:
        return f"task {wanted.task_name} is in no Job of the targets"
    for job, task, needed in tasks:
        counts = job.status.task_status_count.get(task)
        there = sum(counts.phase.get(phase, 0) for phase in past) if counts else 0
        if there < needed:
            return f"task {task} of {job.name}: {there} of {number_of(needed, 'pod')} {wanted.phase}"
    return ""


def _alike(tasks: Sequence[tuple[ObservedChild, str, int]]) -> dict[tuple[str, int], tuple[str, ...]]:
    """Unfinished Jobs by task and needed pods; when all Jobs have ended, no names under the first task."""
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for job, task, needed in tasks:
        if not job.ended:
            found[task, needed] = (*found.get((task, needed), ()), job.name)
    return found or {(tasks[0][1], tasks[0][2]): ()}


def _network(context: FlowContext, step: Step, jobs: Sequence[ObservedChild], found: Probe) -> tuple[str, ...]:
    checks: tuple[HttpGet | TcpSocket, ...] = (*found.http_get_list, *found.tcp_socket_list)
    if not checks:
        return ()
    for check in checks:
        tasks = list(_tasks(jobs, check.task_name))
        if not tasks:
            return (f"task {check.task_name} is in no Job of the targets",)
        context.probes.extend(
            ProbeWanted(step.name, names, task, needed, check) for (task, needed), names in _alike(tasks).items()
        )
    result = context.observed.probes.get(step.name)
    if result is None:
        return ("probe not tried yet",)
    return () if result.holds else (result.failing,)
