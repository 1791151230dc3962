"""Builds the gang controller from the context."""

from controller.context import ControllerContext
from controller.gang.admission import GateAdmission
from controller.gang.backends.native import NativeBackend
from controller.gang.reconciler import GangReconciler
from controller.gang.routes import gang_routes
from controller.runtime.controller import Controller
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import POD, PODGROUP


def build(context: ControllerContext) -> Controller:
    admission, queue = context.admission, WorkQueue("gang")
    if not isinstance(admission, GateAdmission):
        raise TypeError("the gang controller needs the admission of the backends gate and native")
    native = isinstance(context.gang, NativeBackend)  # then kube-scheduler judges by room, and whole gangs only
    groups, pods = context.caches.want(PODGROUP), context.caches.want(POD)

    def wake(key: Key, urgent: bool) -> None:
        queue.add(key, urgent=urgent)

    return Controller(
        name="gang",
        queue=queue,
        reconciler=GangReconciler(admission, groups, pods, context.applier, wake),
        routes=gang_routes(context.caches, admission.cache, with_nodes=not native),
        primary=groups,
    )
