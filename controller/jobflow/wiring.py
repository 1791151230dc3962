"""Wires the JobFlow reconciler to its work queue and to the watches that add flows to it."""

from controller.context import ControllerContext
from controller.jobflow import metrics
from controller.jobflow.reconciler import FlowReconciler
from controller.runtime.controller import Controller, Route
from controller.runtime.routes import its_controller, itself
from controller.runtime.workqueue import WorkQueue
from shared.kinds import JOBFLOW
from shared.model.types import Body


def build(context: ControllerContext) -> Controller:
    """The controller of JobFlows, ready to run."""
    queue = WorkQueue("jobflow", is_new=lambda key: _has_no_status(reconciler.observer.flows.get(*key)))
    reconciler = FlowReconciler(context, queue.add)
    observer = reconciler.observer
    quotas = observer.quotas
    metrics.FlowGauges(observer.flows)
    queues = () if observer.queues is None else (Route(observer.queues, reconciler.flows_of_queue),)
    return Controller(
        name="jobflow",
        queue=queue,
        reconciler=reconciler,
        routes=(
            Route(observer.flows, itself, own_writes=False),
            *(Route(cache, its_controller(JOBFLOW), own_writes=False) for cache in observer.jobs.caches.values()),
            Route(observer.templates, reconciler.flows_of_template),
            Route(observer.flow_templates, reconciler.flows_of_flow_template),
            Route(observer.flows, reconciler.flows_below),
            Route(observer.commands.cache, observer.commands.wakes, own_writes=False),
            *(Route(cache, reconciler.flows_that_ask) for cache in observer.approvals.caches),
            Route(observer.flows, quotas.freed),
            *(Route(cache, quotas.held) for cache in (quotas.policies, quotas.namespaces, quotas.exceptions)),
            *queues,
        ),
        primary=observer.flows,
    )


def _has_no_status(flow: Body | None) -> bool:
    """Whether readers see nothing of a flow yet: its first status does not wait behind passes of other flows."""
    return flow is not None and not ((flow.get("status") or {}).get("state") or {}).get("phase")
