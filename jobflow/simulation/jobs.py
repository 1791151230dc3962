"""The Jobs of a simulated cluster: they run from the moment they are created, and end as the scenario says."""

import heapq
import math
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from controller.decision import Child, Create
from controller.job.reasons import NO_MIN_AVAILABLE
from controller.jobflow.children.parse.child import parse_child
from controller.jobflow.children.registry import PARSERS
from controller.jobflow.model.observed import ObservedChild, PodResults
from controller.jobflow.reasons import RESOURCE_FAILED, STEP_FAILED
from jobflow.simulation.scenario import JobScenario
from shared.graphs.nesting import known_outputs
from shared.kinds import JOB, JOBFLOW, Kind
from shared.model.flow_status import JobFlowStatus
from shared.model.job_status import JobState, JobStatus, TaskCounts
from shared.model.phases import JobPhase
from shared.model.step import Output, Step
from shared.model.types import Body
from shared.timestamp import rfc3339

MAIN: Final = ""  # a pod's first container


class SimulatedJob(msgspec.Struct):
    """One Job of a simulation, or a flow that a step ran. `index`: of the iteration; `attempt`: from 1; `started`,
    `ended`: seconds since the flow began, `ended` is None while it runs; `phase`: as that of a Job; `kind`: Job, JobFlow, or that of another object."""

    name: str
    step: str
    index: int | None
    attempt: int
    started: float
    ended: float | None = None
    phase: str = JobPhase.RUNNING.value
    kind: str = JOB.kind


class SimulatedJobs:
    """All Jobs of one flow. `observed`, `pods`: what the controller would see of them."""

    def __init__(self, steps: Mapping[str, Step], scenario: JobScenario, start: float) -> None:
        self._steps = steps
        self._scenario = scenario
        self._start = start
        self._ends: list[tuple[float, int, str]] = []
        self.observed: dict[str, ObservedChild] = {}
        self.others: dict[Child, ObservedChild] = {}
        self.pods: dict[str, PodResults] = {}
        self.records: dict[str, SimulatedJob] = {}
        self.created: set[str] = set()

    def create(self, action: Create, now: float) -> ObservedChild:
        """It is Running at once, and ends after its time; a daemon only when it is stopped."""
        seen = self.begin(action, now)
        step = self._steps[seen.step]
        seconds = math.inf if step.daemon else self._scenario.duration(seen.step, seen.index, seen.attempt)
        heapq.heappush(self._ends, (now + seconds, len(self.created), seen.name))
        return seen

    def begin(self, action: Create, now: float) -> ObservedChild:
        """It is Running at once; the caller sets the later phases."""
        seen = self.parse(action, f"job-{len(self.created) + 1}", rfc3339(now))
        replicas = _replicas(action.body.get("spec") or {})
        self.created.add(seen.name)
        self.records[seen.name] = SimulatedJob(
            seen.name, seen.step, seen.index, seen.attempt + 1, now - self._start, kind=action.kind.kind
        )
        self._put(replace(seen, status=_running(replicas, now)))
        return seen

    @staticmethod
    def parse(action: Create, uid: str = "", created: str = "") -> ObservedChild:
        """The child that the action makes."""
        metadata = {**action.body["metadata"], "uid": uid, "creationTimestamp": created}
        body = {**action.body, "metadata": metadata}
        return PARSERS[action.kind](body) if action.kind in PARSERS else parse_child(action.kind, body)

    def see_flow(self, name: str, status: JobFlowStatus, now: float) -> bool:
        """Take the status of a flow that `begin` has made; whether that is something new."""
        known = self.observed[name]
        parsed = PARSERS[JOBFLOW]({"metadata": {"name": name}, "status": msgspec.to_builtins(status)})
        seen = replace(
            known,
            status=parsed.status,
            ended=parsed.ended,
            ended_at=parsed.ended_at,
            outputs=parsed.outputs,
            resumable=parsed.resumable,
        )
        if seen == known:
            return False
        self._put(seen)
        record = self.records[name]
        record.phase = (seen.phase or JobPhase.PENDING).value
        record.ended = now - self._start if seen.ended else None
        return True

    def next_end(self) -> float:
        """Epoch seconds at which a Job ends next; infinity if none will."""
        while self._ends and self._ends[0][2] not in self.observed:
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else math.inf

    def end_due(self, now: float) -> None:
        """End the Jobs whose time is over."""
        while self._ends and self._ends[0][0] <= now:
            _, _, name = heapq.heappop(self._ends)
            job = self.observed.get(name)
            if job is not None and not job.ended:
                code = self._scenario.exit_code(job.step, job.index, job.attempt)
                self._end(job, JobPhase.FAILED if code else JobPhase.COMPLETED, code, now)

    def terminate(self, name: str, now: float) -> None:
        """Stop a Job as a Command does."""
        job = self.observed.get(name)
        if job is not None and not job.ended:
            self._end(job, JobPhase.TERMINATED, 0, now)

    def delete(self, name: str, now: float) -> None:
        """An object of another kind that has not ended is stopped by its deletion."""
        job = self.observed.get(name)
        if job is None:
            return
        if job.kind not in PARSERS and not job.ended:
            self._end(job, JobPhase.TERMINATED, 0, now)
            return
        del self.observed[name], self.others[job.kind, name]
        self.pods.pop(name, None)

    def _put(self, job: ObservedChild) -> None:
        self.observed[job.name] = self.others[job.kind, job.name] = job

    def _end(self, job: ObservedChild, phase: JobPhase, code: int, now: float) -> None:
        moment = rfc3339(now)
        pods = sum(_count(each) for each in job.status.task_status_count.values())
        failed = 1 if phase is JobPhase.FAILED else 0
        status = JobStatus(
            state=_failed(code, moment, job.kind) if code else JobState(phase=phase, last_transition_time=moment),
            succeeded=pods if phase is JobPhase.COMPLETED else 0,
            failed=failed,
            terminating=0,
            min_available=job.status.min_available,
            completion_time=moment,
        )
        outputs = self._outputs(job) if job.kind is not JOB and phase is JobPhase.COMPLETED else {}
        self._put(replace(job, status=status, ended=True, ended_at=moment, outputs=outputs))
        messages = self._messages(job, phase) if phase is not JobPhase.TERMINATED else {}
        self.pods[job.name] = PodResults(messages, code or None)
        record = self.records[job.name]
        record.phase, record.ended = phase.value, now - self._start

    def _outputs(self, flow: ObservedChild) -> dict[str, str]:
        """What a flow or an object gives."""
        step = self._steps[flow.step]
        keys = {output.name: output.key or output.name for output in step.outputs}
        return {
            keys.get(name, name): self._scenario.output(flow.step, flow.index, flow.attempt, name) or ""
            for name in known_outputs(step)
        }

    def _messages(self, job: ObservedChild, phase: JobPhase) -> dict[tuple[str, str], str]:
        """The termination messages that hold the outputs of the scenario; a failed Job leaves those that it gives."""
        objects: dict[tuple[str, str], dict[str, str]] = {}
        texts: dict[tuple[str, str], str] = {}
        first = job.tasks[0].name if job.tasks else ""
        for output in self._steps[job.step].outputs:
            value = self._scenario.output(job.step, job.index, job.attempt, output.name)
            if value is None and phase is JobPhase.FAILED:
                continue
            where = (output.task or first, output.container or MAIN)
            if output.key:
                objects.setdefault(where, {})[output.key] = value or ""
            else:
                texts[where] = value or ""
        return texts | {where: msgspec.json.encode(values).decode() for where, values in objects.items()}


def clashing_outputs(step: Step) -> tuple[Output, Output] | None:
    """Two outputs of which one is the whole message of a container and the other a key in it."""
    whole = {(each.task, each.container): each for each in step.outputs if not each.key}
    return next(
        ((whole[where], each) for each in step.outputs if each.key and (where := (each.task, each.container)) in whole),
        None,
    )


def _replicas(spec: Body) -> dict[str, int]:
    """Pods by task."""
    tasks = spec.get("tasks") or ()
    return {
        str(task.get("name") or f"default{place}"): int(task.get("replicas", 1)) for place, task in enumerate(tasks)
    }


def _running(replicas: Mapping[str, int], now: float) -> JobStatus:
    return JobStatus(
        state=JobState(phase=JobPhase.RUNNING, last_transition_time=rfc3339(now)),
        running=sum(replicas.values()),
        min_available=sum(replicas.values()),
        start_time=rfc3339(now),
        task_status_count={name: TaskCounts(phase={"Running": count}) for name, count in replicas.items()},
    )


def _failed(code: int, moment: str, kind: Kind) -> JobState:
    """As of a Job of which a pod failed that it needs, of a flow of which a step failed, or of another object."""
    reason = {JOB: NO_MIN_AVAILABLE, JOBFLOW: STEP_FAILED}.get(kind, RESOURCE_FAILED)
    said = f"a pod ended with exit code {code}" if kind in (JOB, JOBFLOW) else f"the {kind.kind} has failed"
    return JobState(
        phase=JobPhase.FAILED,
        reason=reason,
        message=f"{said}, as the scenario says",
        last_transition_time=moment,
    )


def _count(counts: TaskCounts) -> int:
    return sum(counts.phase.values())
