"""Counts active objects for quotas: at admission, and of stored objects, where the older ones come first."""

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable

from shared.model.types import Body
from shared.policy.context import PolicyContext
from shared.policy.quota.quota import Quota
from shared.policy.quota.standing import is_active
from shared.policy.quota.sub_flows import runs_as_step
from shared.policy.raw import mapping

Covers = Callable[[Body, Body | None], bool]
FlowAge = tuple[str, str]


class AdmissionCensus:
    """Counts for an object that is being admitted. `flows`: those of a namespace, of all namespaces for ''."""

    def __init__(
        self,
        flows: Callable[[str], Iterable[Body]],
        namespace: Callable[[str], Body | None],
        find: Callable[[str, str], Body | None],
    ) -> None:
        self._flows = flows
        self._namespace = namespace
        self._find = find

    def ahead(self, quota: Quota, context: PolicyContext, covers: Covers) -> int:
        """The other active flows of the group; 0 for a flow that a step of another one runs."""
        own = _key(context.body, context.namespace)
        if not _counts(context.body, context.namespace, self._find):
            return 0
        group = quota.group(context.namespace, context.labels, context.namespace_labels)
        others = (
            body for body in self._flows("" if quota.spans_namespaces else context.namespace) if _key(body) != own
        )
        return sum(
            1
            for body in others
            if is_active(body)
            and _group(quota, body, self._namespace) == group
            and covers(body, self._namespace(_key(body)[0]))
            and _counts(body, _key(body)[0], self._find)
        )


class StoredCensus:
    """Counts for stored objects: of too many active flows of a group the youngest ones are beyond the quota."""

    def __init__(self, namespace: Callable[[str], Body | None]) -> None:
        self._namespace = namespace
        self._flows: dict[tuple[str, str], Body] = {}
        self._ages: dict[tuple[str, str], dict[str, list[FlowAge]]] = {}

    def add(self, flow: Body) -> None:
        """Remember the flow, as far as it may count, if it has not ended."""
        if is_active(flow):
            self._flows[_key(flow)] = flow

    def ahead(self, quota: Quota, context: PolicyContext, covers: Covers) -> int:
        """How many active flows of the group are older than an active one; 0 for one that does not count."""
        body = context.body
        if _key(body) not in self._flows or not _counts(body, context.namespace, self._find):
            return 0
        known = self._ages.get((quota.policy, quota.rule))
        if known is None:
            known = self._ages[quota.policy, quota.rule] = self._grouped(quota, covers)
        group = quota.group(context.namespace, context.labels, context.namespace_labels)
        return bisect.bisect_left(known.get(group, []), _age(body))

    def _grouped(self, quota: Quota, covers: Covers) -> dict[str, list[FlowAge]]:
        ages: dict[str, list[FlowAge]] = defaultdict(list)
        for (namespace, _), body in self._flows.items():
            if covers(body, self._namespace(namespace)) and _counts(body, namespace, self._find):
                ages[_group(quota, body, self._namespace)].append(_age(body))
        return {group: sorted(found) for group, found in ages.items()}

    def _find(self, namespace: str, name: str) -> Body | None:
        return self._flows.get((namespace, name))


def _counts(flow: Body, namespace: str, find: Callable[[str, str], Body | None]) -> bool:
    return not runs_as_step(flow, lambda name: find(namespace, name))


def _group(quota: Quota, body: Body, namespace: Callable[[str], Body | None]) -> str:
    name, metadata = _key(body)[0], mapping(body.get("metadata"))
    around = mapping((namespace(name) or {}).get("metadata")) if quota.per.namespace_label else {}
    return quota.group(name, mapping(metadata.get("labels")), mapping(around.get("labels")))


def _key(body: Body, namespace: str = "") -> tuple[str, str]:
    metadata = mapping(body.get("metadata"))
    return str(metadata.get("namespace") or namespace), str(metadata.get("name") or "")


def _age(flow: Body) -> FlowAge:
    metadata = flow["metadata"]
    return str(metadata.get("creationTimestamp", "")), str(metadata.get("uid") or metadata["name"])
