"""Problems of a Job's pods in a few sentences: for the message of its status, and for one event for each kind."""

from collections.abc import Sequence
from typing import Final

import msgspec

from controller.decision import Note
from controller.job import reasons
from controller.job.model.observed import PodObservation
from controller.job.model.pods_by_role import PodsByRole
from controller.job.model.record import JobRecord
from shared.model.job_status import HandledEvent
from shared.model.phases import PodPhase
from shared.podstatus.podproblem import UNSCHEDULABLE, PodProblem
from shared.timestamp import rfc3339

SLOW_START: Final = 30.0  # seconds on its node after which a pod without running containers is reported
SLOW_END: Final = 30.0  # seconds after its grace period for which a pod may still be there without being reported
_NOT_ENDED: Final = f"; not ended {SLOW_END:.0f} s after the grace period: "
MOST_TOLD: Final = 3  # problems in one message
MOST_MARKED: Final = 50  # problems whose event a status remembers


class TaskProblem(msgspec.Struct, frozen=True):
    """One kind of problem of a task's pods. `pod`: one of the `count` pods that have it."""

    task: str
    pod: str
    count: int
    problem: PodProblem

    @property
    def key(self) -> str:
        """What the event about it is remembered by."""
        return f"{reasons.POD_PROBLEM}/{self.task}/{self.problem.kind}"

    def __str__(self) -> str:
        who = f"pod {self.pod}" if self.count == 1 else f"{self.count} pods of task {self.task}, such as {self.pod}"
        return f"{who}: {self.problem}"


def problems(by_role: PodsByRole) -> tuple[TaskProblem, ...]:
    """The problems of pods that have not finished, those of most pods first."""
    groups: dict[tuple[str, str], list[PodObservation]] = {}
    for task, pods in by_role.current.items():
        for _, pod in sorted(pods.items()):
            if pod.alive and pod.problem is not None:
                groups.setdefault((task, pod.problem.kind), []).append(pod)
    found = [
        TaskProblem(task, pods[0].name, len(pods), pods[0].problem)
        for (task, _), pods in groups.items()
        if pods[0].problem is not None
    ]
    return tuple(sorted(found, key=lambda each: -each.count))


def slow_starts_text(by_role: PodsByRole, now: float) -> str:
    """Pods that are on a node without running containers for SLOW_START, as the end of a message.

    Kubernetes reports what they wait for, such as a volume or a large image, only in events.
    """
    slow = [pod.name for pod in _starting(by_role) if pod.placed is not None and pod.placed + SLOW_START <= now]
    if not slow:
        return ""
    who = f"pod {slow[0]} has" if len(slow) == 1 else f"{len(slow)} pods, such as {slow[0]}, have"
    return f"; {who} been starting for more than {SLOW_START:.0f} s: kubectl describe pod {slow[0]} shows why"


def slow_ends_text(by_role: PodsByRole, now: float) -> str:
    """Pods that should have been gone for SLOW_END, as the end of a message: everything that follows waits for them."""
    slow = [pod.name for pod in _ending(by_role) if pod.leaves is not None and pod.leaves + SLOW_END <= now]
    if not slow:
        return ""
    who = f"pod {slow[0]}" if len(slow) == 1 else f"{len(slow)} pods, such as {slow[0]}"
    return f"{_NOT_ENDED}{who}: kubectl describe pod {slow[0]} shows its node and finalizers"


def without_slow_ends(message: str) -> str:
    """The message before `slow_ends_text` was added."""
    return message.partition(_NOT_ENDED)[0]


def next_slow_pod(by_role: PodsByRole, now: float, *, starts: bool) -> float | None:
    """When the next pod will have been ending for so long that it is reported, or starting; epoch seconds.

    `starts`: whether pods that start are reported now.
    """
    times = [pod.leaves + SLOW_END for pod in _ending(by_role) if pod.leaves is not None]
    times += [pod.placed + SLOW_START for pod in _starting(by_role) if pod.placed is not None and starts]
    return min((at for at in times if at > now), default=None)


def _ending(by_role: PodsByRole) -> list[PodObservation]:
    return sorted((pod for pod in by_role.everything if pod.terminating), key=lambda pod: pod.name)


def _starting(by_role: PodsByRole) -> list[PodObservation]:
    found = (pod for pods in by_role.current.values() for pod in pods.values())
    return sorted((pod for pod in found if pod.alive and pod.placed is not None), key=lambda pod: pod.name)


def problems_text(found: Sequence[TaskProblem], *, scheduler: bool) -> str:
    """The problems as the end of a message.

    `scheduler`: False if the message already contains the scheduler's message.
    """
    wanted = [each for each in found if scheduler or each.problem.reason != UNSCHEDULABLE]
    more = len(wanted) - MOST_TOLD
    text = "".join(f"; {each}" for each in wanted[:MOST_TOLD])
    return f"{text}; and {more} other problems" if more > 0 else text


def noted(record: JobRecord, found: Sequence[TaskProblem], now: float) -> tuple[JobRecord, tuple[Note, ...]]:
    """The record in which each problem is marked, and an event for each that was not.

    A restart of the Job clears the marks.
    """
    notes = []
    for each in found[:MOST_TOLD]:
        marked = sum(key.startswith(f"{reasons.POD_PROBLEM}/") for key in record.handled)
        if each.key not in record.handled and marked < MOST_MARKED:
            record = record.with_handled(HandledEvent(key=each.key, since=rfc3339(now)))
            notes.append(Note(reasons.POD_PROBLEM, str(each), "Warning"))
    return record, tuple(notes)


def failure(by_role: PodsByRole) -> str:
    """How the pod that failed first has failed, as the end of a message; empty when no failed pod is left."""
    failed = [
        pod for pod in by_role.everything if pod.finished and pod.phase is PodPhase.FAILED and pod.problem is not None
    ]
    first = min(failed, key=lambda pod: (pod.ended or 0.0, pod.name), default=None)
    return f"; pod {first.name}: {first.problem}" if first else ""
