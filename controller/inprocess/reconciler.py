"""Keeps `status.inProcess` of all JobFlowPolicies. What a policy sets decides about others, so there is one key."""

from collections.abc import Iterable
from typing import Final

from controller.cluster.apply import Applier
from controller.cluster.errors import StaleError
from controller.context import ControllerContext
from controller.inprocess.decide import decide
from controller.runtime.controller import Controller, Route
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import JOBFLOWPOLICY
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.policy import Compiler
from shared.policy.in_process import defaulted_fields

ALL: Final = Key("", "policies")
"""The only key."""


def policy_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    """Also after somebody else has changed the status: it is corrected."""
    return (ALL,)


class InProcessReconciler:
    """`installed`: whether the API server has the chart's ValidatingAdmissionPolicies."""

    def __init__(self, policies: Cache, applier: Applier, *, installed: bool) -> None:
        self._policies = policies
        self._applier = applier
        self._installed = installed
        self._compiler = Compiler()

    async def reconcile(self, key: Key) -> float | None:
        """Write the statuses that differ. The writes of other controllers make some stale: they are tried again."""
        bodies = list(self._policies.list())
        policies = self._compiler.compile(bodies).compiled
        by_name = {policy.name: policy for policy in policies}
        defaulted, stale = defaulted_fields(policies), False
        for body in bodies:
            compiled = by_name.get(body["metadata"]["name"])
            decision = decide(body, compiled, defaulted, installed=self._installed)
            try:
                await self._applier.apply(JOBFLOWPOLICY, body, decision)
            except StaleError:
                stale = True
        if stale:
            raise StaleError("a policy changed while its status was written")
        return None


def build(context: ControllerContext) -> Controller:
    policies = context.caches.want(JOBFLOWPOLICY, optional=True)
    installed = context.settings.in_process_policies
    return Controller(
        name="inprocess",
        queue=WorkQueue("inprocess"),
        reconciler=InProcessReconciler(policies, context.applier, installed=installed),
        routes=(Route(policies, policy_wakes, own_writes=False),),
        concurrency=1,
    )
