"""Reads stored objects from the caches in the form in which policies are evaluated, a few at a time."""

from collections.abc import AsyncIterator, Awaitable, Callable

from shared.kinds import JOBTEMPLATE, NAMESPACE
from shared.kube.cache.cache import Caches
from shared.model.types import Body
from shared.policy import Policies, PolicyContext
from shared.policy.census import StoredCensus
from shared.policy.embedded import JUDGED, OUTER
from shared.policy.stored import StoredView

Yield = Callable[[], Awaitable[None]]


class StoredObjects:
    """`schedules`: also read the templates in schedules and flow templates."""

    def __init__(self, caches: Caches, *, schedules: bool = False) -> None:
        self._caches = {kind: caches.want(kind) for kind in JUDGED}
        self._caches |= {kind: caches.want(kind, optional=True) for kind in (OUTER if schedules else ())}
        self._namespaces = caches.want(NAMESPACE)

    async def all(self, policies: Policies, now: float, yield_: Yield) -> AsyncIterator[PolicyContext]:
        """Every object that is not being deleted, as policies see it at `now` (epoch seconds). `yield_` lets other tasks run."""
        view = await self._view(policies, now, yield_)
        for kind, cache in self._caches.items():
            for body in cache.list():
                for context in view.contexts(kind, body):
                    yield context
                await yield_()

    async def _view(self, policies: Policies, now: float, yield_: Yield) -> StoredView:
        """What the evaluation of several objects needs, collected once per scan."""
        census = StoredCensus(self._namespace)
        for kind in {quota.kind for policy in policies.compiled for quota in policy.quotas}:
            for body in self._caches[kind].list():
                census.add(kind, body)
                await yield_()
        templates = frozenset(self._caches[JOBTEMPLATE].keys())
        return StoredView(self._namespace, templates, census, now)

    def _namespace(self, name: str) -> Body | None:
        return self._namespaces.get("", name)
