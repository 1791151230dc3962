"""The flows above a flow that a step of another one created, and the flows below one."""

from collections.abc import Iterable, Iterator

from controller.jobflow.model.observed import ParentFlow
from controller.jobflow.observe.child_cache import OWNER
from controller.owner_references import controller_of
from shared.graphs.nesting import MAX_LEVELS
from shared.key import Key, key_of
from shared.kinds import JOBFLOW
from shared.kube.cache.cache import Cache
from shared.model.meta import ObjectMeta
from shared.model.types import Body
from shared.names import FLOW_TEMPLATE

_MOST = 2 * MAX_LEVELS  # owner references can be forged into a cycle


def parents_of(flows: Cache, namespace: str, metadata: ObjectMeta) -> tuple[ParentFlow, ...]:
    """The flows above, the nearest first."""
    found: list[ParentFlow] = []
    reference = next((one for one in metadata.owner_references if one.controller), None)
    wanted = (reference.kind, reference.name, reference.uid) if reference is not None else ("", "", "")
    while wanted[0] == JOBFLOW.kind and len(found) < _MOST:
        body = flows.get(namespace, wanted[1])
        if body is None or body["metadata"].get("uid") != wanted[2]:
            break
        annotations = body["metadata"].get("annotations") or {}
        found.append(ParentFlow(wanted[1], str(annotations.get(FLOW_TEMPLATE, "")), is_suspended(body)))
        owner = controller_of(body)
        wanted = (str(owner.get("kind", "")), str(owner.get("name", "")), str(owner.get("uid", "")))
    return tuple(found)


def below(flows: Cache, flow: Body) -> Iterator[Key]:
    """The keys of all flows below one."""
    waiting, levels = [flow], 0
    while waiting and levels < _MOST:
        waiting = [child for parent in waiting for child in _children(flows, parent)]
        yield from (key_of(child) for child in waiting)
        levels += 1


def _children(flows: Cache, parent: Body) -> Iterable[Body]:
    return flows.by(OWNER, parent["metadata"].get("uid", ""))


def is_suspended(flow: Body | None) -> bool:
    """Whether the flow itself is suspended by its spec."""
    return flow is not None and (flow.get("spec") or {}).get("suspend") is True
