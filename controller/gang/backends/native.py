"""`native`: kube-scheduler binds gangs whole, where the cluster serves scheduling.k8s.io; queues and their limits are ours.

Pods still carry our gate while their queue has no quota for them; where they fit is not judged here.
"""

from controller.gang.backends.gate import GateBackend
from controller.gang.desk import Desk
from shared.model.types import Body


class NativeBackend(GateBackend):
    """`version`: of scheduling.k8s.io, as served."""

    name = "native"

    def __init__(self, desk: Desk, scheduler: str, version: str) -> None:
        super().__init__(desk, scheduler)
        self.version = version

    def shape_pod(self, pod: Body, group: str) -> Body:
        """In the scheduling group of that name."""
        shaped = super().shape_pod(pod, group)
        return {**shaped, "spec": {**shaped["spec"], "schedulingGroup": {"podGroupName": group}}}
