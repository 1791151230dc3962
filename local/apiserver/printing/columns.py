"""The printed columns of the built-in kinds, as the printers of kube-apiserver compute them."""

from collections.abc import Callable
from typing import Any

from local.apiserver import clock
from local.apiserver.printing import durations, podcolumns
from local.apiserver.storage.store import GroupResource
from local.apiserver.types.resources import PrinterColumn
from shared.duration import human
from shared.model.types import Body

Printer = Callable[[Body], list[Any]]
AGE = PrinterColumn(
    "Age",
    "string",
    description="CreationTimestamp is a timestamp representing the server time when this object was created.",
)


def _age(obj: Body) -> str:
    return durations.since(obj["metadata"].get("creationTimestamp"))


def _name(obj: Body) -> str:
    return str(obj["metadata"]["name"])


def _labels(found: dict[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or "<none>"


def _containers(template: Body) -> list[str]:
    found = (template.get("spec") or {}).get("containers") or []
    return [",".join(c.get("name", "") for c in found), ",".join(c.get("image", "") for c in found)]


def _strings(*names: str, wide: tuple[str, ...] = ()) -> tuple[PrinterColumn, ...]:
    return (*(PrinterColumn(name) for name in names), AGE, *(PrinterColumn(name, priority=1) for name in wide))


def _config_map(obj: Body) -> list[Any]:
    return [_name(obj), len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), _age(obj)]


def _secret(obj: Body) -> list[Any]:
    return [_name(obj), obj.get("type", ""), len(obj.get("data") or {}), _age(obj)]


def _namespace(obj: Body) -> list[Any]:
    return [_name(obj), (obj.get("status") or {}).get("phase", ""), _age(obj)]


def _node(obj: Body) -> list[Any]:
    status, labels = obj.get("status") or {}, obj["metadata"].get("labels") or {}
    ready = [c for c in status.get("conditions") or () if c.get("type") == "Ready"]
    shown = "Unknown" if not ready else "Ready" if ready[0].get("status") == "True" else "NotReady"
    if (obj.get("spec") or {}).get("unschedulable"):
        shown += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(sorted(key[len(prefix) :] for key in labels if key.startswith(prefix))) or "<none>"
    info = status.get("nodeInfo") or {}
    addresses = {a.get("type"): a.get("address") for a in status.get("addresses") or ()}
    wide = [addresses.get("InternalIP") or "<none>", addresses.get("ExternalIP") or "<none>"]
    wide += [info.get(key) or "<unknown>" for key in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    return [_name(obj), shown, roles, _age(obj), info.get("kubeletVersion", ""), *wide]


def _service(obj: Body) -> list[Any]:
    spec = obj.get("spec") or {}
    ports = (
        ",".join(f"{port.get('port')}/{port.get('protocol', 'TCP')}" for port in spec.get("ports") or ()) or "<none>"
    )
    address = spec.get("clusterIP") or "<none>"
    return [_name(obj), spec.get("type", ""), address, "<none>", ports, _age(obj), _labels(spec.get("selector"))]


def _deployment(obj: Body) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}"
    wide = [*_containers(spec.get("template") or {}), _labels((spec.get("selector") or {}).get("matchLabels"))]
    return [_name(obj), ready, status.get("updatedReplicas", 0), status.get("availableReplicas", 0), _age(obj), *wide]


def _replica_set(obj: Body) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    wide = [*_containers(spec.get("template") or {}), _labels((spec.get("selector") or {}).get("matchLabels"))]
    counts = [spec.get("replicas", 1), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [_name(obj), *counts, _age(obj), *wide]


def _stateful_set(obj: Body) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}"
    return [_name(obj), ready, _age(obj), *_containers(spec.get("template") or {})]


def _job(obj: Body) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    conditions = {c["type"] for c in status.get("conditions") or () if c.get("status") == "True"}
    shown = next((name for name in ("Complete", "Failed", "Suspended") if name in conditions), "Running")
    start, end = status.get("startTime"), status.get("completionTime")
    took = (
        human(clock.seconds(end) - clock.seconds(start)) if start and end else durations.since(start) if start else ""
    )
    done = f"{status.get('succeeded', 0)}/{spec.get('completions', 1)}"
    return [_name(obj), shown, done, took, _age(obj), *_containers(spec.get("template") or {})]


def _event(obj: Body) -> list[Any]:
    about = obj.get("involvedObject") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = (obj.get("series") or {}).get("lastObservedTime") or obj.get("lastTimestamp") or first
    count = (obj.get("series") or {}).get("count") or obj.get("count") or 1
    shown = durations.since(last)
    if count > 1:
        shown = f"{shown} (x{count} over {durations.since(first)})"
    target = f"{about.get('kind', '').lower()}/{about.get('name', '')}"
    message = (obj.get("message") or "").strip()
    source = ", ".join(v for v in (obj.get("source") or {}).values()) or obj.get("reportingComponent", "")
    return [shown, obj.get("type", ""), obj.get("reason", ""), target, about.get("fieldPath", ""), source, message,
            durations.since(first), count, _name(obj)]  # fmt: skip


def _lease(obj: Body) -> list[Any]:
    return [_name(obj), (obj.get("spec") or {}).get("holderIdentity") or "", _age(obj)]


def _account(obj: Body) -> list[Any]:
    return [_name(obj), _age(obj)]


def _claim(obj: Body) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    size = (status.get("capacity") or {}).get("storage", "")
    modes = ",".join(
        {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX"}.get(m, m)
        for m in status.get("accessModes") or ()
    )
    return [
        _name(obj),
        status.get("phase", ""),
        spec.get("volumeName", ""),
        size,
        modes,
        spec.get("storageClassName", ""),
        "<unset>",
        _age(obj),
    ]


def _quota(obj: Body) -> list[Any]:
    status = obj.get("status") or {}
    hard = status.get("hard") or (obj.get("spec") or {}).get("hard") or {}
    used = status.get("used") or {}
    return [_name(obj), ", ".join(f"{key}: {used.get(key, 0)}/{value}" for key, value in hard.items()), "", _age(obj)]


def _webhooks(obj: Body) -> list[Any]:
    return [_name(obj), len(obj.get("webhooks") or ()), _age(obj)]


def _crd(obj: Body) -> list[Any]:
    return [_name(obj), obj["metadata"].get("creationTimestamp", "")]


def _priority(obj: Body) -> list[Any]:
    return [_name(obj), obj.get("value", 0), bool(obj.get("globalDefault")), _age(obj), obj.get("preemptionPolicy", "")]


def _network_policy(obj: Body) -> list[Any]:
    return [_name(obj), _labels(((obj.get("spec") or {}).get("podSelector") or {}).get("matchLabels")), _age(obj)]


def _binding(obj: Body) -> list[Any]:
    reference = obj.get("roleRef") or {}
    return [_name(obj), f"{reference.get('kind')}/{reference.get('name')}", _age(obj)]


def _disruption(obj: Body) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    least, most = spec.get("minAvailable", "N/A"), spec.get("maxUnavailable", "N/A")
    return [_name(obj), str(least), str(most), status.get("disruptionsAllowed", 0), _age(obj)]


_NODE_WIDE = ("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime")
_WIDE_TEMPLATE = ("Containers", "Images")
_EVENT = tuple(PrinterColumn(n) for n in ("Type", "Reason", "Object")) + tuple(
    PrinterColumn(n, priority=p)
    for n, p in (("Subobject", 1), ("Source", 1), ("Message", 0), ("First Seen", 1), ("Count", 1), ("Name", 1))
)
_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
PRINTERS: dict[GroupResource, tuple[tuple[PrinterColumn, ...], Printer]] = {
    ("", "pods"): (podcolumns.COLUMNS, podcolumns.cells),
    ("", "configmaps"): (_strings("Data"), _config_map),
    ("", "secrets"): (_strings("Type", "Data"), _secret),
    ("", "namespaces"): (_strings("Status"), _namespace),
    ("", "nodes"): (
        (
            *_strings("Status", "Roles"),
            PrinterColumn("Version"),
            *(PrinterColumn(name, priority=1) for name in _NODE_WIDE),
        ),
        _node,
    ),
    ("", "services"): (_strings("Type", "Cluster-IP", "External-IP", "Port(s)", wide=("Selector",)), _service),
    ("", "events"): (_EVENT, _event),
    ("", "serviceaccounts"): (_strings(), _account),
    ("", "persistentvolumeclaims"): (
        _strings("Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass"),
        _claim,
    ),
    ("", "resourcequotas"): (_strings("Request", "Limit"), _quota),
    ("apps", "deployments"): (
        _strings("Ready", "Up-to-date", "Available", wide=(*_WIDE_TEMPLATE, "Selector")),
        _deployment,
    ),
    ("apps", "replicasets"): (
        _strings("Desired", "Current", "Ready", wide=(*_WIDE_TEMPLATE, "Selector")),
        _replica_set,
    ),
    ("apps", "statefulsets"): (_strings("Ready", wide=_WIDE_TEMPLATE), _stateful_set),
    ("batch", "jobs"): (_strings("Status", "Completions", "Duration", wide=_WIDE_TEMPLATE), _job),
    ("coordination.k8s.io", "leases"): (_strings("Holder"), _lease),
    ("networking.k8s.io", "networkpolicies"): (_strings("Pod-Selector"), _network_policy),
    ("policy", "poddisruptionbudgets"): (
        _strings("Min Available", "Max Unavailable", "Allowed Disruptions"),
        _disruption,
    ),
    ("scheduling.k8s.io", "priorityclasses"): (
        (
            PrinterColumn("Value", "integer"),
            PrinterColumn("Global-Default", "boolean"),
            AGE,
            PrinterColumn("PreemptionPolicy"),
        ),
        _priority,
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"): ((PrinterColumn("Created At", "date"),), _crd),
    (_ADMISSION, "mutatingwebhookconfigurations"): (_strings("Webhooks"), _webhooks),
    (_ADMISSION, "validatingwebhookconfigurations"): (_strings("Webhooks"), _webhooks),
    (_RBAC, "rolebindings"): (_strings("Role"), _binding),
    (_RBAC, "clusterrolebindings"): (_strings("Role"), _binding),
}
