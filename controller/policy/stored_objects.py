"""Reads stored objects from the caches in the form in which policies are evaluated, a few at a time."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, NAMESPACE, Kind
from shared.kube.cache.cache import Caches
from shared.model.types import Body
from shared.policy import EMBEDDED, Embedded, Policies, PolicyContext
from shared.policy.running import is_running

Yield = Callable[[], Awaitable[None]]
_KINDS: Final[tuple[Kind, ...]] = (JOBFLOW, JOBTEMPLATE, JOB)


class StoredObjects:
    """Call `refresh` first, then `all`. What the evaluation of several objects needs is collected once per scan.

    `schedules`: also read the templates in schedules and flow templates.
    """

    def __init__(self, caches: Caches, *, schedules: bool = False) -> None:
        self._caches = {kind: caches.want(kind) for kind in _KINDS}
        embedded = EMBEDDED.values() if schedules else ()
        self._outer = [(each, caches.want(each.outer, optional=True)) for each in embedded]
        self._namespaces = caches.want(NAMESPACE)
        self._templates: frozenset[tuple[str, str]] = frozenset()
        self._running: dict[str, list[tuple[str, str]]] = {}

    async def refresh(self, policies: Policies, yield_: Yield) -> None:
        self._templates = frozenset(self._caches[JOBTEMPLATE].keys())
        running: dict[str, list[tuple[str, str]]] = defaultdict(list)
        limits = [policy.spec.limits for policy in policies.compiled if policy.spec.limits is not None]
        if any(limit.max_running_flows is not None for limit in limits):
            for flow in self._caches[JOBFLOW].list():
                if is_running(flow):
                    running[flow["metadata"]["namespace"]].append(_age(flow))
                await yield_()
        self._running = {namespace: sorted(ages) for namespace, ages in running.items()}

    async def all(self, yield_: Yield) -> AsyncIterator[PolicyContext]:
        """Every object that is not being deleted. `yield_` lets other tasks run."""
        for kind, cache in self._caches.items():
            for body in cache.list():
                if "deletionTimestamp" not in body["metadata"]:
                    yield self._given(kind, body)
                await yield_()
        for embedded, cache in self._outer:
            for outer in cache.list():
                inner = None if "deletionTimestamp" in outer["metadata"] else embedded.body(outer)
                if inner is not None:
                    yield self._given(embedded.kind, inner, embedded)
                await yield_()

    def _given(self, kind: Kind, body: Body, embedded: Embedded | None = None) -> PolicyContext:
        namespace = body["metadata"].get("namespace", "")
        return PolicyContext(
            kind=kind,
            body=body,
            namespace=namespace,
            namespace_body=self._namespaces.get("", namespace),
            template_exists=lambda name: (namespace, name) in self._templates,
            running_flows=None if embedded else lambda: self._older(body, namespace),
            embedded=embedded,
        )

    def _older(self, flow: Body, namespace: str) -> int:
        """How many running flows of the namespace are older than this one: the youngest ones exceed the limit."""
        return sum(1 for age in self._running.get(namespace, ()) if age < _age(flow)) if is_running(flow) else 0


def _age(flow: Body) -> tuple[str, str]:
    return str(flow["metadata"].get("creationTimestamp", "")), flow["metadata"]["name"]
