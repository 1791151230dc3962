"""`gate`: ours, for any cluster that knows scheduling gates. Pods exist while they wait, but no scheduler looks at them."""

from collections.abc import Sequence

from controller.gang.cache.pod_requirements import shape_of
from controller.gang.desk import Desk
from controller.gang.podgroup import phase
from controller.gang.podgroup.ungate import schedulable
from shared import names
from shared.key import Key
from shared.model.phases import PodGroupPhase
from shared.model.podgroup import PodGroup
from shared.model.types import Body
from shared.resources import GangTask


class GateBackend:
    """`scheduler`: takes the place of `volcano`, which nobody would answer to."""

    name: str = "gate"

    def __init__(self, desk: Desk, scheduler: str) -> None:
        self.desk = desk
        self._scheduler = scheduler

    def pods_may_be_created(self, group: PodGroup | None) -> bool:
        return True

    def group_body(self, body: Body, tasks: Sequence[GangTask]) -> Body:
        """Admitted from the start when it fits at once and nobody waits before it; else Pending."""
        metadata, spec = body["metadata"], body["spec"]
        ref = Key(metadata["namespace"], metadata["name"])
        if self.desk.let_in(ref, spec.get("queue", ""), spec.get("minMember", 0), tasks):
            return {**body, "status": phase.admitted_status(self.desk.clock())}
        return {**body, "status": {"phase": PodGroupPhase.PENDING.value}}

    def shape_pod(self, pod: Body, group: str) -> Body:
        """With our gate, unless its group was let in with room for it."""
        metadata, spec = pod["metadata"], dict(pod["spec"])
        if spec.get("schedulerName") == names.DEFAULT_SCHEDULER:
            spec["schedulerName"] = self._scheduler
        if not self.desk.claim(Key(metadata["namespace"], group), metadata["name"], shape_of(pod)):
            gates = [*(spec.get("schedulingGates") or ()), {"name": names.GANG_GATE}]
            spec = {**schedulable(spec), "schedulingGates": gates}
        return {**pod, "spec": spec}
