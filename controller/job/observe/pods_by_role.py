"""The Job's pods sorted by what they are to us: current ones by task and index, leftovers, and surplus."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from controller.job.decide.defaults import Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.observed import PodSeen
from shared import names
from shared.model.phases import JobPhase, PodPhase
from shared.model.podgroup import PodGroup

STOPPED: Final = frozenset(set(JobPhase) - {JobPhase.PENDING, JobPhase.RUNNING, JobPhase.RESTARTING})
"""Phases in which no pod may go on: unfinished ones are deleted, finished ones kept."""


class View(msgspec.Struct, frozen=True):
    """`current`: task -> index -> pod of this incarnation; `stale`: pods that a restart replaces; `surplus`: pods that spec
    no longer has."""

    current: Mapping[str, Mapping[int, PodSeen]]
    stale: tuple[PodSeen, ...] = ()
    surplus: tuple[PodSeen, ...] = ()

    def of(self, task: str) -> Mapping[int, PodSeen]:
        return self.current.get(task, {})

    @property
    def everything(self) -> Iterable[PodSeen]:
        yield from (pod for pods in self.current.values() for pod in pods.values())
        yield from self.stale
        yield from self.surplus

    @property
    def names(self) -> frozenset[str]:
        """Names that are taken: a replacement has to wait until its forerunner is gone."""
        return frozenset(pod.name for pod in self.everything)


def view(pods: Iterable[PodSeen], ledger: Ledger, wanted: Wanted) -> View:
    current: dict[str, dict[int, PodSeen]] = {task.name: {} for task in wanted.tasks}
    stale: list[PodSeen] = []
    surplus: list[PodSeen] = []
    for pod in pods:
        task = wanted.by_name.get(pod.task)
        if is_stale(pod, ledger):
            stale.append(pod)
        elif task is None or pod.index >= task.replicas:
            surplus.append(pod)
        else:
            current[pod.task][pod.index] = pod
    return View(current, tuple(stale), tuple(surplus))


def is_stale(pod: PodSeen, ledger: Ledger) -> bool:
    """Whether a restart replaces this pod: by its uid, or because it is of an earlier version.

    A success that the ledger remembers stands for every version, since only a restart of the whole Job forgets it. In a
    stopped Job nothing is replaced: what has finished stays, the rest goes.
    """
    if ledger.phase in STOPPED:
        return False
    task = ledger.task(pod.task)
    if pod.uid in task.replacing:
        return True
    if pod.version >= ledger.version:
        return False
    return not (pod.finished and pod.phase is PodPhase.SUCCEEDED and pod.index in task.succeeded)


def current_group(group: PodGroup | None, ledger: Ledger) -> PodGroup | None:
    """The group of this incarnation. One of an earlier version, or on its way out, admits nobody (8.25)."""
    if group is None or group.metadata.deletion_timestamp or is_stale_group(group, ledger):
        return None
    return group


def is_stale_group(group: PodGroup, ledger: Ledger) -> bool:
    version = group.metadata.annotations.get(names.JOB_VERSION, "")
    if not version.isdecimal():
        return ledger.phase is JobPhase.RESTARTING  # Volcano's: it carries no version
    return int(version) < ledger.version
