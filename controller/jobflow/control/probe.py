"""`dependsOn.probe`: the step starts while its targets run, as soon as every probe holds (jobflow-api.md 4)."""

from collections.abc import Iterator, Sequence
from typing import Final

from controller.jobflow import reasons
from controller.jobflow.decide.context import ProbeWanted, Turn
from controller.jobflow.gate_result import Answer, Wait, fail
from controller.jobflow.observe.observed import JobSeen
from controller.jobflow.steps.outcome import Verdict, upstream, verdicts
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


def probe(turn: Turn, step: Step) -> Answer | None:
    """Go once every probe holds; a target that ends bad first, or all ended without it, end the step."""
    found, targets = of(step), tuple(dict.fromkeys(step.targets))
    if found is None:
        return None
    seen = verdicts(turn, targets)
    ended = all(turn.steps[name].phase.ended for name in targets)
    if Verdict.BAD in seen or (ended and Verdict.OK not in seen):
        return upstream(turn, targets)
    jobs = _jobs(turn, targets)
    if not jobs and not ended:
        turn.on_targets.add(step.name)
        return Wait((f"waits for {', '.join(targets)} to run",))
    failing = (*_statuses(jobs, found), *_network(turn, step, jobs, found))
    if not failing:
        return None
    if ended:
        return fail(reasons.PROBE_NOT_MET, f"{', '.join(targets)} ended; {'; '.join(failing)}"[:512])
    return Wait(failing)


def _jobs(turn: Turn, targets: Sequence[str]) -> list[JobSeen]:
    """The latest Jobs of the targets."""
    found: list[JobSeen] = []
    for name in targets:
        state = turn.steps[name]
        current = turn.current_jobs(state)
        if not current:
            current = [turn.jobs[job] for job in state.jobs[-1:] if job in turn.jobs]
        found.extend(current)
    return found


def _tasks(jobs: Sequence[JobSeen], name: str) -> Iterator[tuple[JobSeen, str, int]]:
    """(Job, task, pods it needs) for every Job that has the task; an empty name means the first task."""
    for job in jobs:
        task = next((one for one in job.tasks if one.name == (name or one.name)), None)
        if task is not None:
            yield job, task.name, task.needed


def _statuses(jobs: Sequence[JobSeen], found: Probe) -> tuple[str, ...]:
    return tuple(words for one in found.task_status_list if (words := _status(jobs, one)))


def _status(jobs: Sequence[JobSeen], wanted: TaskStatusProbe) -> str:
    past = _PAST.get(PodPhase(wanted.phase), ()) if wanted.phase in _PAST else ()
    tasks = list(_tasks(jobs, wanted.task_name))
    if not tasks:
        return f"task {wanted.task_name} is in no Job of the targets"
    for job, task, needed in tasks:
        counts = job.status.task_status_count.get(task)
        there = sum(counts.phase.get(phase, 0) for phase in past) if counts else 0
        if there < needed:
            return f"task {task} of {job.name}: {there} of {needed} pods {wanted.phase}"
    return ""


def _alike(tasks: Sequence[tuple[JobSeen, str, int]]) -> dict[tuple[str, int], tuple[str, ...]]:
    """The Jobs that run, by task and pods it needs; of Jobs that have all ended, no name under the first."""
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for job, task, needed in tasks:
        if not job.ended:
            found[task, needed] = (*found.get((task, needed), ()), job.name)
    return found or {(tasks[0][1], tasks[0][2]): ()}


def _network(turn: Turn, step: Step, jobs: Sequence[JobSeen], found: Probe) -> tuple[str, ...]:
    checks: tuple[HttpGet | TcpSocket, ...] = (*found.http_get_list, *found.tcp_socket_list)
    if not checks:
        return ()
    for check in checks:
        tasks = list(_tasks(jobs, check.task_name))
        if not tasks:
            return (f"task {check.task_name} is in no Job of the targets",)
        turn.probes.extend(
            ProbeWanted(step.name, names, task, needed, check) for (task, needed), names in _alike(tasks).items()
        )
    result = turn.seen.probes.get(step.name)
    if result is None:
        return ("probe not tried yet",)
    return () if result.holds else (result.failing,)
