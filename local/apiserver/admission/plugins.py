"""Built-in admission plugins of kube-apiserver: NamespaceLifecycle, ServiceAccount, Priority, ResourceQuota, and the
defaults of LimitRanger.
"""

from typing import TYPE_CHECKING

from local.apiserver.call import ApiRequest
from local.apiserver.errors import forbidden, group_resource, not_found
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

_NAMESPACES = ("", "namespaces")
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def before_create(core: "ServerState", call: ApiRequest, obj: Body) -> None:
    """Checks and defaults that precede all webhooks. Raises StatusError where the object may not be created."""
    if call.resource.namespaced:
        namespace_open(core, call, obj)
    if call.gr == ("", "pods") and not call.subresource:
        _service_account(core, call, obj)
        _priority(core, call, obj)
        _default_resources(core, call, obj)


def namespace_open(core: "ServerState", call: ApiRequest, obj: Body) -> None:
    """NamespaceLifecycle: the namespace exists and is not being deleted."""
    entry = core.store.get(_NAMESPACES, "", call.namespace)
    if entry is None:
        raise not_found("", "namespaces", call.namespace)
    if entry.meta.get("deletionTimestamp"):
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {call.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise forbidden(
            call.resource.group,
            call.resource.plural,
            obj["metadata"].get("name", ""),
            f"unable to create new content in namespace {call.namespace} because it is being terminated",
            causes=[cause],
        )


def _service_account(core: "ServerState", call: ApiRequest, pod: Body) -> None:
    name = (pod.get("spec") or {}).get("serviceAccountName") or "default"
    if core.store.get(("", "serviceaccounts"), call.namespace, name) is None:
        raise forbidden(
            "",
            "pods",
            pod["metadata"].get("name", ""),
            f'error looking up service account {call.namespace}/{name}: serviceaccount "{name}" not found',
        )


def _priority(core: "ServerState", call: ApiRequest, pod: Body) -> None:
    spec = pod.setdefault("spec", {})
    name = spec.get("priorityClassName")
    if not name:
        defaults = [
            e
            for e in core.store.bucket(("scheduling.k8s.io", "priorityclasses")).entries("")
            if e.obj.get("globalDefault")
        ]
        if defaults:
            spec["priorityClassName"] = defaults[0].key[1]
            spec["preemptionPolicy"] = defaults[0].obj.get("preemptionPolicy", "PreemptLowerPriority")
        spec["priority"] = defaults[0].obj.get("value", 0) if defaults else 0
        return
    if name in SYSTEM_PRIORITIES:
        spec["priority"] = SYSTEM_PRIORITIES[name]
        return
    entry = core.store.get(("scheduling.k8s.io", "priorityclasses"), "", name)
    if entry is None:
        raise forbidden("", "pods", pod["metadata"].get("name", ""), f"no PriorityClass with name {name} was found")
    spec["priority"] = entry.obj.get("value", 0)
    spec["preemptionPolicy"] = entry.obj.get("preemptionPolicy", "PreemptLowerPriority")


def _default_resources(core: "ServerState", call: ApiRequest, pod: Body) -> None:
    """LimitRanger: requests and limits that a container does not set get the defaults of the namespace's LimitRanges."""
    ranges = core.store.bucket(("", "limitranges")).by_namespace.get(call.namespace, {}).values()
    items = [item for entry in ranges for item in (entry.obj.get("spec") or {}).get("limits") or ()]
    for item in (item for item in items if item.get("type") == "Container"):
        limits = {**(item.get("max") or {}), **(item.get("default") or {})}
        requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
        spec = pod.get("spec") or {}
        for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
            resources = container.setdefault("resources", {})
            for field, defaults in (("limits", limits), ("requests", requests)):
                if defaults:
                    resources[field] = {**defaults, **(resources.get(field) or {})}


def quota(core: "ServerState", call: ApiRequest, name: str) -> None:
    """ResourceQuota: refuse a create that would exceed a hard limit on the number of objects."""
    quotas = core.store.bucket(("", "resourcequotas")).by_namespace.get(call.namespace)
    if not quotas or call.subresource:
        return
    resource = call.resource
    counted = [f"count/{group_resource(resource.group, resource.plural)}"]
    if not resource.group:
        counted.insert(0, resource.plural)
    for entry in quotas.values():
        hard = (entry.obj.get("spec") or {}).get("hard") or {}
        for key in counted:
            count = used(core, call.namespace, key) if key in hard else None
            if count is not None and count + 1 > int(hard[key]):
                why = f"requested: {key}=1, used: {key}={count}, limited: {key}={hard[key]}"
                raise forbidden(*call.gr, name, f"exceeded quota: {entry.key[1]}, {why}")


def used(core: "ServerState", namespace: str, key: str) -> int | None:
    """How many objects of a namespace count against a quota's key; None for keys that count something else."""
    plural, _, group = key.removeprefix("count/").partition(".")
    if core.registry.main((group, plural)) is None or (group and not key.startswith("count/")):
        return None
    found = core.store.bucket((group, plural)).by_namespace.get(namespace, {}).values()
    if key == "pods":
        return sum((entry.obj.get("status") or {}).get("phase") not in ("Succeeded", "Failed") for entry in found)
    return len(found)
