"""A Job at one moment of deciding: the observation, the record, and what follows from both."""

from collections.abc import Mapping

import msgspec

from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation
from controller.job.model.pod_counts import JobPodCounts, TaskPodCounts, count_pods, remember
from controller.job.model.pods_by_role import STOPPED, PodsByRole, sort_by_role
from controller.job.model.record import JobRecord
from controller.job.phase import dependencies


class JobSnapshot(msgspec.Struct, frozen=True):
    """`unreachable`: tasks that will never start -> the failed task that is the cause."""

    observed: JobObservation
    record: JobRecord
    wanted: EffectiveSpec
    by_role: PodsByRole
    counts: JobPodCounts
    unreachable: Mapping[str, str] = {}

    @property
    def lacks_place(self) -> bool:
        """Whether the Job would run, but quotas do not let it create anything yet."""
        return self.record.phase not in STOPPED and not self.observed.may_create


def take_snapshot(observed: JobObservation, record: JobRecord, wanted: EffectiveSpec) -> JobSnapshot:
    pods = sort_by_role(observed.pods, record, wanted)
    known = remember(pods, record, wanted)
    counts = count_pods(pods, known, wanted)
    if known.phase not in STOPPED:
        known = dependencies.released(known, pods, counts, wanted)
    return JobSnapshot(observed, known, wanted, pods, counts, dependencies.blocked(known, counts, wanted))


def without(snapshot: JobSnapshot, withdrawn: Mapping[str, frozenset[int]]) -> JobSnapshot:
    """The snapshot with pods that are about to be deleted before they have started counted as missing."""
    counts, record = dict(snapshot.counts), snapshot.record
    for task, indexes in withdrawn.items():
        count: TaskPodCounts = counts[task]
        missing = tuple(sorted({*count.missing, *indexes}))
        counts[task] = msgspec.structs.replace(count, pending=count.pending - len(indexes), missing=missing)
        record = record.with_task(task, created=record.task(task).created - indexes)
    return msgspec.structs.replace(snapshot, counts=counts, record=record)


def with_created(snapshot: JobSnapshot, made: Mapping[str, frozenset[int]]) -> JobSnapshot:
    """The snapshot with the pods that are about to be created counted as Pending."""
    counts, record = dict(snapshot.counts), snapshot.record
    for task, indexes in made.items():
        count: TaskPodCounts = counts[task]
        missing = tuple(index for index in count.missing if index not in indexes)
        counts[task] = msgspec.structs.replace(count, pending=count.pending + len(indexes), missing=missing)
        record = record.with_task(task, created=record.task(task).created | indexes)
    return msgspec.structs.replace(snapshot, counts=counts, record=record)
