"""`native`: kube-scheduler binds gangs whole, where the cluster serves scheduling.k8s.io; queues and their limits are ours.

Pods still carry our gate while their queue has no quota for them. Where they fit is left to kube-scheduler.
"""

from typing import ClassVar

from controller.gang.backends.gate import GateBackend
from shared.model.types import Body


class NativeBackend(GateBackend, frozen=True):
    """`version`: of scheduling.k8s.io, as served."""

    version: str
    name: ClassVar[str] = "native"

    def shape_pod(self, pod: Body, group: str) -> Body:
        """In the scheduling group of that name."""
        shaped = super().shape_pod(pod, group)
        return {**shaped, "spec": {**shaped["spec"], "schedulingGroup": {"podGroupName": group}}}
