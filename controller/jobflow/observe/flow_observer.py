"""Gathers what a decision about a flow reads: from the caches, and by live reads where the caches do not suffice.

This module and its neighbours in `observe` do the I/O of the JobFlow controller that reads; writing is done by
`controller.cluster`.
"""

from typing import Any

from controller.context import ControllerContext
from controller.jobflow.model.context import ReadRequests
from controller.jobflow.model.observed import ObservedFlow
from controller.jobflow.observe.approval_rules import ApprovalObserver
from controller.jobflow.observe.child_cache import FlowChildren, ObjectsByName, QueueStates, Templates
from controller.jobflow.observe.command_reader import commands_on, flow_commands
from controller.jobflow.observe.flow_cache import CachedFlow
from controller.jobflow.observe.flow_quotas import flow_quotas
from controller.jobflow.observe.indexes import (
    USES,
    USES_FLOW,
    WAITS,
    index_by_flow_template,
    index_by_template,
    index_by_wait,
)
from controller.jobflow.observe.parents import parents_of
from controller.jobflow.observe.pod_lookup import FlowPodLookup
from controller.jobflow.observe.resource_kinds import ResourceKinds
from shared.key import Key
from shared.kinds import JOBFLOW, JOBFLOWTEMPLATE, JOBTEMPLATE, QUEUE
from shared.kube.client.errors import NotFound


class FlowObserver:
    """The caches of the controller and the reads from them. `pods`: results and addresses of the pods of Jobs."""

    def __init__(self, context: ControllerContext) -> None:
        caches = context.caches
        self.flows = caches.want(
            JOBFLOW, indexers={USES: index_by_template, USES_FLOW: index_by_flow_template, WAITS: index_by_wait}
        )
        self.templates = caches.want(JOBTEMPLATE)
        self.flow_templates = caches.want(JOBFLOWTEMPLATE, optional=True)
        self.commands = flow_commands(context)
        self.resource_kinds = ResourceKinds(context)
        self.jobs = FlowChildren(caches, self.resource_kinds.kinds, context.clock)
        self.pods = FlowPodLookup(context)
        # Without the Job controller this process may not be allowed to read queues; rejected Jobs are tried again anyway.
        self.queues = caches.want(QUEUE) if context.settings.job_controller else None
        self.approvals = ApprovalObserver(context)
        self.quotas = flow_quotas(caches, self.flows, context.clock)
        self._api = context.api
        self._caches = caches

    def observe(self, key: Key, known: CachedFlow, now: float, **more: Any) -> ObservedFlow:
        """The input of a decision at `now` (epoch seconds); `more`: its fields that are not read from caches."""
        jobs, body = self.jobs.of(known.flow.metadata.uid, known.plan.steps), self.flows.get(*key)
        return ObservedFlow(
            flow=known.flow,
            stored=known.stored,
            jobs=jobs,
            others=ObjectsByName(self.jobs, key.namespace, jobs),
            templates=Templates(self.templates, key.namespace),
            now=now,
            commands=tuple(commands_on(self.commands, key)),
            refusals=known.refusals,
            pods=known.pods,
            deleted_jobs=frozenset(known.deleted_jobs),
            terminate_sent=known.terminate_sent,
            queue_states=QueueStates(self.queues),
            flow_templates=Templates(self.flow_templates, key.namespace),
            parents=parents_of(self.flows, key.namespace, known.flow.metadata),
            approvals=self.approvals.rules(body if known.plan.asks else None),
            resource_kinds=self.resource_kinds.allowed(key.namespace),
            granted=self.resource_kinds.granted(known.flow.metadata),
            unserved=self.jobs.unserved(),
            quota=None if body is None else self.quotas.place(key, body),
            **more,
        )

    async def read(self, key: Key, known: CachedFlow, requests: ReadRequests) -> None:
        """Read live what a decision asked for, and keep the answers in `known`."""
        for kind, name in requests.children:
            try:
                body = await self._api.get(kind, key.namespace, name)
            except NotFound:
                known.deleted_jobs.add(name)
                continue
            if not self.jobs.assume(kind, body, known.flow.metadata.uid):
                known.deleted_jobs.add(name)  # its owner reference was removed, or it is another object of this name
        jobs = self.jobs.of(known.flow.metadata.uid)
        for name in requests.pods:
            job = jobs.get(name)
            if job is not None:
                known.pods[name] = await self.pods.of(key.namespace, job, live=bool(known.outputs_of(job.step)))
