"""The interface of gang admission for the Job and Queue controllers.

A `GangBackend` is a value: it says how PodGroups and pods must look for whoever starts gangs in this cluster, and when
pods may be created. Job decisions use it and stay pure. A `GangAdmission` is the state of admission in this process:
the Job reconciler gives it each decision before the decision is carried out, and the Queue reconciler asks it what
PodGroups use. `gate` and `native` are in controller/gang.
"""

from collections.abc import Mapping
from typing import ClassVar, Protocol

import msgspec

from controller.decision import Decision, Refusal
from shared import names
from shared.key import Key
from shared.kinds import Kind
from shared.model.phases import PodGroupPhase
from shared.model.podgroup import PodGroup
from shared.model.types import Body

Refused = Mapping[tuple[Kind, str], Refusal]
"""Kind and name -> the last refusal, of objects in one namespace."""

OPEN = frozenset({PodGroupPhase.INQUEUE, PodGroupPhase.RUNNING, PodGroupPhase.UNKNOWN, PodGroupPhase.COMPLETED})


class GangBackend(Protocol):
    """Pure answers about groups and pods; inputs are never changed."""

    @property
    def name(self) -> str:
        """The value of --gang-backend that chooses it."""
        ...

    def pods_may_be_created(self, group: PodGroup | None) -> bool:
        """Whether pods may exist now. `group`: the Job's current PodGroup, None before it exists."""
        ...

    def shape_pod(self, pod: Body, group: str) -> Body:
        """The pod with the scheduling gate, schedulingGroup or schedulerName that it needs. `group`: its PodGroup's name."""
        ...

    def group_body(self, body: Body) -> Body:
        """The PodGroup to create, with its first status."""
        ...


class GangAdmission(Protocol):
    """The admission state of this process: what it has admitted, including what the caches do not show yet."""

    def admit_new(self, decision: Decision, namespace: str, refusals: Refused) -> Decision:
        """The decision of a Job with what may start at once admitted in it: a PodGroup to be created Inqueue, and pods to be
        created without gate. The room for them is booked. `refusals`: objects of the Job that the API server refused to
        create; what was booked for them is free again."""
        ...

    def free(self, namespace: str, refusals: Refused) -> None:
        """Free what was booked for objects that the API server refused to create."""
        ...

    def usage(self, group: Key) -> Mapping[str, int] | None:
        """What the admitted pods of a PodGroup request, in the units of controller.gang; None where another scheduler
        counts the usage."""
        ...


class NoAdmission:
    """For processes that admit nothing."""

    def admit_new(self, decision: Decision, namespace: str, refusals: Refused) -> Decision:
        return decision

    def free(self, namespace: str, refusals: Refused) -> None:
        """Nothing is booked."""

    def usage(self, group: Key) -> Mapping[str, int] | None:
        return None


class VolcanoBackend(msgspec.Struct, frozen=True):
    """Volcano's scheduler admits: no pod before it has set the group's phase to Inqueue."""

    name: ClassVar[str] = "volcano"

    def pods_may_be_created(self, group: PodGroup | None) -> bool:
        return group is not None and group.status.phase in OPEN

    def shape_pod(self, pod: Body, group: str) -> Body:
        return pod

    def group_body(self, body: Body) -> Body:
        """Pending from the start, as Volcano's PodGroup controller would set it."""
        return {**body, "status": {"phase": PodGroupPhase.PENDING.value}}


class UngatedBackend(msgspec.Struct, frozen=True):
    """No gang admission: pods are created at once. `scheduler`: replaces schedulerName `volcano`, which does not run here."""

    scheduler: str = "default-scheduler"
    name: ClassVar[str] = "none"

    def pods_may_be_created(self, group: PodGroup | None) -> bool:
        return True

    def shape_pod(self, pod: Body, group: str) -> Body:
        if pod["spec"].get("schedulerName") != names.DEFAULT_SCHEDULER:
            return pod
        return {**pod, "spec": {**pod["spec"], "schedulerName": self.scheduler}}

    def group_body(self, body: Body) -> Body:
        return {**body, "status": {"phase": PodGroupPhase.INQUEUE.value}}
