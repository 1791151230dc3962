"""Keeps `status.inProcess` of all JobFlowPolicies, and the ValidatingAdmissionPolicies of their `rules` if that is
enabled.

What one policy sets affects the others, so there is one key. Observe, decide, apply.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from controller.cluster.apply import Applier
from controller.cluster.errors import StaleError
from controller.context import ControllerContext
from controller.decision import Decision
from controller.inprocess.decide import EnforcementPlan, Observed, RefusedObjects, Stored, decide, is_ours, plan, sweep
from controller.inprocess.generated import RulesOption
from controller.runtime.controller import Controller, Route
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING, JOBFLOWPOLICY
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.policy import CompiledPolicy, Compiler
from shared.policy.in_process import defaulted_fields

ALL: Final = Key("", "policies")
"""The only key."""
_RETRY_SECONDS: Final = 60.0  # of a refusal that may end, such as a missing right


def policy_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    """Also after somebody else has changed the status: it is corrected."""
    return (ALL,)


def generated_wakes(option: RulesOption) -> Callable[[Body | None, Body | None], Iterable[Key]]:
    """After a generated object was changed or deleted."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        return (ALL,) if any(body and is_ours(body, option.prefix) for body in (old, new)) else ()

    return wakes


class InProcessReconciler:
    """`installed`: whether the API server has the chart's ValidatingAdmissionPolicies; `generated`: the caches of
    ValidatingAdmissionPolicies and bindings, empty where none are made."""

    def __init__(
        self,
        policies: Cache,
        generated: tuple[Cache, ...],
        applier: Applier,
        clock: Callable[[], float],
        *,
        installed: bool,
        option: RulesOption,
    ) -> None:
        self._policies = policies
        self._generated = generated
        self._applier = applier
        self._clock = clock
        self._installed = installed
        self._option = option
        self._compiler = Compiler()
        self._refused: dict[str, RefusedObjects] = {}

    async def reconcile(self, key: Key) -> float | None:
        """Write what differs. The writes of other controllers make some statuses stale: they are tried again."""
        bodies = list(self._policies.list())
        policies = self._compiler.compile(bodies).compiled
        by_name = {policy.name: policy for policy in policies}
        observed = Observed(self._installed, defaulted_fields(policies), self._option, self._stored())
        self._forget(by_name)
        plans = [plan(body, by_name.get(body["metadata"]["name"]), observed) for body in bodies]
        stale = False
        for body, planned in zip(bodies, plans, strict=True):
            try:
                await self._apply(body, planned, observed)
            except StaleError:
                stale = True
        unwanted = sweep((planned.made for planned in plans), observed.stored, self._option)
        swept = (await self._applier.apply(JOBFLOWPOLICY, {}, Decision(actions=unwanted))).done
        if stale:
            raise StaleError("a policy changed while its status was written")
        again = not swept or any(not each.lasting for each in self._refused.values())
        return _RETRY_SECONDS if again else None

    def _stored(self) -> Stored:
        return {(cache.kind, body["metadata"]["name"]): body for cache in self._generated for body in cache.list()}

    def _forget(self, policies: Mapping[str, CompiledPolicy]) -> None:
        """Forget the refusals of policies that are gone, and those that are to be tried again."""
        since = self._clock() - _RETRY_SECONDS
        self._refused = {
            name: each
            for name, each in self._refused.items()
            if name in policies and (each.lasting or each.refusal.at > since)
        }

    async def _apply(self, body: Body, planned: EnforcementPlan, observed: Observed) -> None:
        name = body["metadata"]["name"]
        known = msgspec.structs.replace(observed, refused=self._refused.get(name))
        outcome = await self._applier.apply(JOBFLOWPOLICY, body, decide(body, planned, known))
        if outcome.done:
            return
        (kind, _), refusal = next(iter(outcome.refusals.items()))
        lasting = refusal.for_ever and kind is ADMISSION_POLICY  # a binding is refused for what else is stored
        self._refused[name] = RefusedObjects(planned.made, refusal, lasting)
        known = msgspec.structs.replace(known, refused=self._refused[name])
        await self._applier.apply(JOBFLOWPOLICY, body, decide(body, planned, known))


def build(context: ControllerContext) -> Controller:
    settings = context.settings
    option = RulesOption(
        settings.in_process_rules, settings.in_process_warn, settings.excluded_namespaces, settings.approval_policy
    )
    policies = context.caches.want(JOBFLOWPOLICY, optional=True)
    kinds = (ADMISSION_POLICY, ADMISSION_POLICY_BINDING) if option.prefix else ()
    generated = tuple(context.caches.want(kind, optional=True) for kind in kinds)
    reconciler = InProcessReconciler(
        policies,
        generated,
        context.applier,
        context.clock,
        installed=settings.in_process_policies,
        option=option,
    )
    routes = (Route(cache, generated_wakes(option), own_writes=False) for cache in generated)
    return Controller(
        name="inprocess",
        queue=WorkQueue("inprocess"),
        reconciler=reconciler,
        routes=(Route(policies, policy_wakes, own_writes=False), *routes),
        concurrency=1,
    )
