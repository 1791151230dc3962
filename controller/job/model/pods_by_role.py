"""The Job's pods by role: current ones by task and index, stale ones that a restart replaces, and surplus ones."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import PodObservation
from controller.job.model.record import JobRecord
from shared import names
from shared.model.phases import JobPhase, PodPhase
from shared.model.podgroup import PodGroup

STOPPED: Final = frozenset(set(JobPhase) - {JobPhase.PENDING, JobPhase.RUNNING, JobPhase.RESTARTING})
"""Phases in which no pod may continue: unfinished ones are deleted, finished ones kept."""


class PodsByRole(msgspec.Struct, frozen=True):
    """`current`: task -> index -> pod of this version; `stale`: pods that a restart replaces; `surplus`: pods that spec
    does not have any more.
    """

    current: Mapping[str, Mapping[int, PodObservation]]
    stale: tuple[PodObservation, ...] = ()
    surplus: tuple[PodObservation, ...] = ()

    def of(self, task: str) -> Mapping[int, PodObservation]:
        return self.current.get(task, {})

    @property
    def everything(self) -> Iterable[PodObservation]:
        yield from (pod for pods in self.current.values() for pod in pods.values())
        yield from self.stale
        yield from self.surplus

    @property
    def names(self) -> frozenset[str]:
        """Names that are taken. A replacement waits until the old pod is gone."""
        return frozenset(pod.name for pod in self.everything)


def sort_by_role(pods: Iterable[PodObservation], record: JobRecord, wanted: EffectiveSpec) -> PodsByRole:
    current: dict[str, dict[int, PodObservation]] = {task.name: {} for task in wanted.tasks}
    stale: list[PodObservation] = []
    surplus: list[PodObservation] = []
    for pod in pods:
        task = wanted.by_name.get(pod.task)
        if is_stale(pod, record):
            stale.append(pod)
        elif task is None or pod.index >= task.replicas:
            surplus.append(pod)
        else:
            current[pod.task][pod.index] = pod
    return PodsByRole(current, tuple(stale), tuple(surplus))


def is_stale(pod: PodObservation, record: JobRecord) -> bool:
    """Whether a restart replaces this pod: by its uid, or because it belongs to an earlier version.

    A recorded success counts for every version, since only a restart of the whole Job forgets it. In a stopped Job
    nothing is replaced: finished pods stay, others are deleted.
    """
    if record.phase in STOPPED:
        return False
    task = record.task(pod.task)
    if pod.uid in task.replacing:
        return True
    if pod.version >= record.version:
        return False
    return not (pod.finished and pod.phase is PodPhase.SUCCEEDED and pod.index in task.succeeded)


def current_group(group: PodGroup | None, record: JobRecord) -> PodGroup | None:
    """The PodGroup of this version. One of an earlier version, or one that is being deleted, admits no pods."""
    if group is None or group.metadata.deletion_timestamp or is_stale_group(group, record):
        return None
    return group


def is_stale_group(group: PodGroup, record: JobRecord) -> bool:
    version = group.metadata.annotations.get(names.JOB_VERSION, "")
    if not version.isdecimal():
        return record.phase is JobPhase.RESTARTING  # created by Volcano: it has no version
    return int(version) < record.version
