"""Counts active objects for quotas: at admission, and of stored objects, where the older ones come first."""

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable

from shared.kinds import Kind
from shared.model.types import Body
from shared.policy.context import PolicyContext
from shared.policy.quota.counted import COUNTED
from shared.policy.quota.quota import Quota
from shared.policy.raw import mapping

Covers = Callable[[Body, Body | None], bool]
Find = Callable[[Kind, str, str], Body | None]
"""The object of a kind, namespace and name."""
ObjectAge = tuple[str, str]


class AdmissionCensus:
    """Counts for an object that is being admitted. `objects`: those of a kind and a namespace, of all namespaces for
    ''."""

    def __init__(
        self,
        objects: Callable[[Kind, str], Iterable[Body]],
        namespace: Callable[[str], Body | None],
        find: Find,
    ) -> None:
        self._objects = objects
        self._namespace = namespace
        self._find = find

    def ahead(self, quota: Quota, context: PolicyContext, covers: Covers) -> int:
        """The other active objects of the group; 0 for one that does not count, such as a flow that a step runs."""
        own, counted = _key(context.body, context.namespace), COUNTED[quota.kind]
        if not _counts(quota, context.body, context.namespace, self._find):
            return 0
        group = quota.group(context.namespace, context.labels, context.namespace_labels)
        others = (
            body
            for body in self._objects(quota.kind, "" if quota.spans_namespaces else context.namespace)
            if _key(body) != own
        )
        return sum(
            1
            for body in others
            if counted.is_active(body)
            and _group(quota, body, self._namespace) == group
            and covers(body, self._namespace(_key(body)[0]))
            and _counts(quota, body, _key(body)[0], self._find)
        )


class StoredCensus:
    """Counts for stored objects: of too many active objects of a group the youngest ones are beyond the quota."""

    def __init__(self, namespace: Callable[[str], Body | None]) -> None:
        self._namespace = namespace
        self._objects: dict[Kind, dict[tuple[str, str], Body]] = {kind: {} for kind in COUNTED}
        self._ages: dict[tuple[str, str], dict[str, list[ObjectAge]]] = {}

    def add(self, kind: Kind, body: Body) -> None:
        """Remember an object of a kind in COUNTED, as far as it may count, if it has not ended."""
        if COUNTED[kind].is_active(body):
            self._objects[kind][_key(body)] = body

    def ahead(self, quota: Quota, context: PolicyContext, covers: Covers) -> int:
        """How many active objects of the group are older than an active one; 0 for one that does not count."""
        body = context.body
        known = _key(body) in self._objects[quota.kind]
        if not known or not _counts(quota, body, context.namespace, self._find):
            return 0
        ages = self._ages.get((quota.policy, quota.rule))
        if ages is None:
            ages = self._ages[quota.policy, quota.rule] = self._grouped(quota, covers)
        group = quota.group(context.namespace, context.labels, context.namespace_labels)
        return bisect.bisect_left(ages.get(group, []), _age(body))

    def _grouped(self, quota: Quota, covers: Covers) -> dict[str, list[ObjectAge]]:
        ages: dict[str, list[ObjectAge]] = defaultdict(list)
        for (namespace, _), body in self._objects[quota.kind].items():
            if covers(body, self._namespace(namespace)) and _counts(quota, body, namespace, self._find):
                ages[_group(quota, body, self._namespace)].append(_age(body))
        return {group: sorted(found) for group, found in ages.items()}

    def _find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        return self._objects[kind].get((namespace, name))


def _counts(quota: Quota, body: Body, namespace: str, find: Find) -> bool:
    covered = COUNTED[quota.kind].covered_by_owner
    return covered is None or not covered(body, lambda name: find(quota.kind, namespace, name))


def _group(quota: Quota, body: Body, namespace: Callable[[str], Body | None]) -> str:
    name, metadata = _key(body)[0], mapping(body.get("metadata"))
    around = mapping((namespace(name) or {}).get("metadata")) if quota.per.namespace_label else {}
    return quota.group(name, mapping(metadata.get("labels")), mapping(around.get("labels")))


def _key(body: Body, namespace: str = "") -> tuple[str, str]:
    metadata = mapping(body.get("metadata"))
    return str(metadata.get("namespace") or namespace), str(metadata.get("name") or "")


def _age(body: Body) -> ObjectAge:
    metadata = body["metadata"]
    return str(metadata.get("creationTimestamp", "")), str(metadata.get("uid") or metadata["name"])
