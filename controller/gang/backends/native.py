"""`native`: kube-scheduler binds each gang as a whole, if the cluster serves scheduling.k8s.io; this controller manages
queues and their limits.

Pods still carry our gate while their queue has no quota for them. kube-scheduler decides whether they fit on nodes.
"""

from typing import ClassVar

from controller.gang.backends.gate import GateBackend
from shared.model.types import Body


class NativeBackend(GateBackend, frozen=True):
    """`version`: of scheduling.k8s.io, as served."""

    version: str
    name: ClassVar[str] = "native"

    def shape_pod(self, pod: Body, group: str) -> Body:
        """The pod with a reference to the scheduling group of that name."""
        shaped = super().shape_pod(pod, group)
        return {**shaped, "spec": {**shaped["spec"], "schedulingGroup": {"podGroupName": group}}}
