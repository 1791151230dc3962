"""The seam between Jobs and gang admission: who lets a group's pods start, and how pods are held until then.

Backends (decisions row 24): `volcano` here; `gate` and `native` stand in controller/gang.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from shared import names
from shared.model.phases import PodGroupPhase
from shared.model.podgroup import PodGroup
from shared.model.types import Body
from shared.resources import GangTask


class GangBackend(Protocol):
    """Pure answers about groups and pods; inputs are never changed."""

    @property
    def name(self) -> str:
        """The setting that chooses it."""
        ...

    def pods_may_be_created(self, group: PodGroup | None) -> bool:
        """Whether pods may exist now. `group`: the Job's current PodGroup, None before it exists."""
        ...

    def shape_pod(self, pod: Body, group: str) -> Body:
        """The pod as the backend needs it: scheduling gate, schedulingGroup or schedulerName. `group`: its PodGroup's name."""
        ...

    def group_body(self, body: Body, tasks: Sequence[GangTask]) -> Body:
        """The PodGroup to create, with what the backend adds (annotations, a first status). `tasks`: those with pods."""
        ...


OPEN: Final = frozenset({PodGroupPhase.INQUEUE, PodGroupPhase.RUNNING, PodGroupPhase.UNKNOWN, PodGroupPhase.COMPLETED})


class VolcanoBackend:
    """Volcano's scheduler owns the group's phase: no pod before the group is Inqueue (volcano-behaviour.md 3.2)."""

    name: Final = "volcano"

    def pods_may_be_created(self, group: PodGroup | None) -> bool:
        return group is not None and group.status.phase in OPEN

    def shape_pod(self, pod: Body, group: str) -> Body:
        return pod

    def group_body(self, body: Body, tasks: Sequence[GangTask]) -> Body:
        """Pending from the start, as Volcano's PodGroup controller would set it."""
        return {**body, "status": {"phase": PodGroupPhase.PENDING.value}}


class UngatedBackend:
    """No gang admission at all: pods are created at once, for the scheduler that the cluster has.

    `scheduler`: takes the place of `volcano`, which nobody would answer to.
    """

    name: Final = "none"

    def __init__(self, scheduler: str = "default-scheduler") -> None:
        self._scheduler = scheduler

    def pods_may_be_created(self, group: PodGroup | None) -> bool:
        return True

    def shape_pod(self, pod: Body, group: str) -> Body:
        if pod["spec"].get("schedulerName") != names.DEFAULT_SCHEDULER:
            return pod
        return {**pod, "spec": {**pod["spec"], "schedulerName": self._scheduler}}

    def group_body(self, body: Body, tasks: Sequence[GangTask]) -> Body:
        return {**body, "status": {"phase": PodGroupPhase.INQUEUE.value}}
