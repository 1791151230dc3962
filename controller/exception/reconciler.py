"""The JobFlowPolicyException controller: shows which exceptions are in effect, and reports their end. Observe, decide,
apply."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.exception.decide import ExceptionState, decide
from controller.exception.metrics import EXCEPTIONS, EXPIRED
from controller.runtime.controller import Controller, Route
from controller.runtime.routes import itself
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import JOBFLOWPOLICY, JOBFLOWPOLICYEXCEPTION
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.policy import Compiler

BY_POLICY: Final = "policy"
BY_STATE: Final = "state"


def index_by_policy(exception: Body) -> Iterator[str]:
    """The names of the policies that the exception refers to."""
    named = (exception.get("spec") or {}).get("policies") or ()
    yield from {str(each.get("name")) for each in named if isinstance(each, dict)}


def index_by_state(exception: Body) -> Iterator[str]:
    yield str((exception.get("status") or {}).get("state") or "")


def policy_wakes(exceptions: Cache) -> Callable[[Body | None, Body | None], Iterable[Key]]:
    """The exceptions about a policy whose spec has changed."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        body = new or old
        if body is None or (old and new and old.get("spec") == new.get("spec")):
            return ()
        return exceptions.keys_by(BY_POLICY, body["metadata"]["name"])

    return wakes


class ExceptionReconciler:
    def __init__(self, exceptions: Cache, policies: Cache, applier: Applier, clock: Callable[[], float]) -> None:
        self._exceptions = exceptions
        self._policies = policies
        self._applier = applier
        self._clock = clock
        self._compiler = Compiler()

    async def reconcile(self, key: Key) -> float | None:
        exception = self._exceptions.get(*key)
        requeue = None
        if exception is not None:
            bodies = (self._policies.get("", name) for name in index_by_policy(exception))
            compiled = self._compiler.compile(body for body in bodies if body is not None).compiled
            decision = decide(exception, {policy.name: policy for policy in compiled}, self._clock())
            await self._applier.apply(JOBFLOWPOLICYEXCEPTION, exception, decision)
            if decision.expired:
                EXPIRED.labels(key.namespace).inc()
            requeue = decision.requeue_after
        for state in ExceptionState:
            EXCEPTIONS.labels(state.value).set(len(self._exceptions.keys_by(BY_STATE, state.value)))
        return requeue


def build(context: ControllerContext) -> Controller:
    indexers = {BY_POLICY: index_by_policy, BY_STATE: index_by_state}
    exceptions = context.caches.want(JOBFLOWPOLICYEXCEPTION, indexers=indexers, optional=True)
    policies = context.caches.want(JOBFLOWPOLICY, optional=True)
    return Controller(
        name="policyexception",
        queue=WorkQueue("policyexception"),
        reconciler=ExceptionReconciler(exceptions, policies, context.applier, context.clock),
        routes=(Route(exceptions, itself, own_writes=False), Route(policies, policy_wakes(exceptions))),
        primary=exceptions,
    )
