"""`gate`: for any cluster that knows scheduling gates. Waiting pods exist, but the scheduler ignores them."""

from typing import ClassVar

import msgspec

from controller.gang.podgroup.ungate import without_node_name
from shared import names
from shared.model.phases import PodGroupPhase
from shared.model.podgroup import PodGroup
from shared.model.types import Body


class GateBackend(msgspec.Struct, frozen=True):
    """`scheduler`: replaces schedulerName `volcano`, which does not run here."""

    scheduler: str
    name: ClassVar[str] = "gate"

    def pods_may_be_created(self, group: PodGroup | None) -> bool:
        return True

    def group_body(self, body: Body) -> Body:
        return {**body, "status": {"phase": PodGroupPhase.PENDING.value}}

    def shape_pod(self, pod: Body, group: str) -> Body:
        """The pod with our gate. controller.gang.admission removes the gate if the pod is admitted before it is
        created.
        """
        spec = dict(pod["spec"])
        if spec.get("schedulerName") == names.DEFAULT_SCHEDULER:
            spec["schedulerName"] = self.scheduler
        gates = [*(spec.get("schedulingGates") or ()), {"name": names.GANG_GATE}]
        return {**pod, "spec": {**without_node_name(spec), "schedulingGates": gates}}
