"""Pods: defaults of core/v1, immutable fields, scheduling gates, and the most common validation rules."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from local.apiserver import clock
from local.apiserver.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from local.apiserver.types.objectmeta import dns_label_faults, labels, subdomain_faults
from shared.model.types import Body
from shared.podtemplate import check_template
from shared.quantity import quantity

_POD: Body = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "terminationGracePeriodSeconds": 30,
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
}
_CONTAINER: Body = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
_PROBE: Body = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_MODE_DEFAULTS = {"configMap": 420, "secret": 420, "projected": 420, "downwardAPI": 420}
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
GATED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def template_defaults(spec: Body) -> None:
    """The defaults of a pod spec, in a pod or in a template, in place."""
    for key, value in _POD.items():
        spec.setdefault(key, value)
    spec.setdefault("securityContext", {})
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            _container_defaults(container)
    for volume in spec.get("volumes") or ():
        _volume_defaults(volume)


def _container_defaults(container: Body) -> None:
    for key, value in _CONTAINER.items():
        container.setdefault(key, value)
    container.setdefault("resources", {})
    if container.get("image"):
        tag = container["image"].rpartition("/")[2].partition("@")[0].partition(":")[2]
        pinned = "@" in container["image"] or tag not in ("", "latest")
        container.setdefault("imagePullPolicy", "IfNotPresent" if pinned else "Always")
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for item in container.get("env") or ():
        source = item.get("valueFrom", {}).get("fieldRef")
        if source is not None:
            source.setdefault("apiVersion", "v1")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            for key, value in _PROBE.items():
                container[probe].setdefault(key, value)
            if "httpGet" in container[probe]:
                container[probe]["httpGet"].setdefault("scheme", "HTTP")
    resources = container["resources"]
    for side in ("requests", "limits"):
        canonical_amounts(resources, side)
    for key, value in (resources.get("limits") or {}).items():
        resources.setdefault("requests", {}).setdefault(key, value)


def canonical_amounts(holder: Body, key: str) -> None:
    """Write the quantities of a map as the server prints them (`1000m` is `1`), in place."""
    if holder.get(key):
        holder[key] = {name: _canonical(str(value)) for name, value in holder[key].items()}


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    return str(quantity(text))


def _volume_defaults(volume: Body) -> None:
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}
    for kind, mode in _MODE_DEFAULTS.items():
        if kind in volume:
            volume[kind].setdefault("defaultMode", mode)


def at_create(pod: Body) -> None:
    """What the pod strategy and the default admission plugins set on a new pod, in place."""
    spec = pod.setdefault("spec", {})
    template_defaults(spec)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerations = spec.setdefault("tolerations", [])
    for key in _TOLERATED:
        if not any(
            item.get("key") in (key, None) and item.get("effect") in ("NoExecute", None) for item in tolerations
        ):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    pod["status"] = {"phase": "Pending", "qosClass": qos(spec)}
    if spec.get("schedulingGates"):
        pod["status"]["conditions"] = [dict(GATED, lastProbeTime=None, lastTransitionTime=clock.now())]
        del pod["status"]["conditions"][0]["lastProbeTime"]


def qos(spec: Body) -> str:
    """Guaranteed, Burstable or BestEffort, from the containers' requests and limits of cpu and memory."""
    pairs = [
        ((found.get("requests") or {}).get(name), (found.get("limits") or {}).get(name))
        for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        for found in [container.get("resources") or {}]
        for name in ("cpu", "memory")
    ]
    if not any(request or limit for request, limit in pairs):
        return "BestEffort"
    return "Guaranteed" if all(limit and request == limit for request, limit in pairs) else "Burstable"


def validate(pod: Body, old: Body | None) -> Iterator[FieldError]:
    spec = pod.get("spec") or {}
    if old is None:
        own = list(validate_spec(spec, "spec"))
        yield from own
        yield from _further_rules(pod, {fault.path for fault in own})
        if spec.get("nodeName") and spec.get("schedulingGates"):
            yield forbidden_field("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
    else:
        yield from _update(spec, old.get("spec") or {})


def _further_rules(pod: Body, known: set[str]) -> Iterator[FieldError]:
    """The pod rules that webhook and server share, for fields that have no error yet."""
    template = {"metadata": pod["metadata"], "spec": pod.get("spec") or {}}
    for violation in check_template(template, "pod"):
        path = violation.path.removeprefix("pod.")
        if path not in known:
            yield FieldError(path, violation.reason.value, violation.text)


def validate_spec(spec: Body, path: str) -> Iterator[FieldError]:
    """The rules of a pod spec, in a pod or a template."""
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _container(container, f"{path}.{kind}[{index}]", names, volumes)
    yield from _volumes(spec.get("volumes") or [], f"{path}.volumes")
    policy = spec.get("restartPolicy", "Always")
    if policy not in ("Always", "OnFailure", "Never"):
        yield not_supported(f"{path}.restartPolicy", policy, ("Always", "OnFailure", "Never"))
    for key in ("hostname", "subdomain"):
        for fault in dns_label_faults(spec[key]) if spec.get(key) else ():
            yield invalid(f"{path}.{key}", spec[key], fault)
    yield from labels(f"{path}.nodeSelector", spec.get("nodeSelector") or {})
    if spec.get("activeDeadlineSeconds") is not None and spec["activeDeadlineSeconds"] < 1:
        yield invalid(
            f"{path}.activeDeadlineSeconds",
            spec["activeDeadlineSeconds"],
            "must be between 1 and 2147483647, inclusive",
        )
    yield from _gates(spec.get("schedulingGates") or [], f"{path}.schedulingGates")


def _container(container: Body, path: str, names: set[str], volumes: set[Any]) -> Iterator[FieldError]:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    else:
        for fault in dns_label_faults(name):
            yield invalid(f"{path}.name", name, fault)
        if name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
    if not container.get("image"):
        yield required(f"{path}.image")
    if container.get("imagePullPolicy") not in (None, "Always", "IfNotPresent", "Never"):
        yield not_supported(
            f"{path}.imagePullPolicy", container["imagePullPolicy"], ("Always", "IfNotPresent", "Never")
        )
    yield from _amounts(container.get("resources") or {}, f"{path}.resources")
    for index, port in enumerate(container.get("ports") or ()):
        if not 0 < port.get("containerPort", 0) < 65536:
            yield invalid(
                f"{path}.ports[{index}].containerPort",
                port.get("containerPort", 0),
                "must be between 1 and 65535, inclusive",
            )
    for index, item in enumerate(container.get("env") or ()):
        if not item.get("name"):
            yield required(f"{path}.env[{index}].name")
        if item.get("value") and item.get("valueFrom"):
            yield invalid(f"{path}.env[{index}].valueFrom", "", "may not be specified when `value` is not empty")
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            shown = mount.get("name", "")
            yield FieldError(f"{path}.volumeMounts[{index}].name", "FieldValueNotFound", f'Not found: "{shown}"')
        if not mount.get("mountPath"):
            yield required(f"{path}.volumeMounts[{index}].mountPath")


def _amounts(resources: Body, path: str) -> Iterator[FieldError]:
    limits = resources.get("limits") or {}
    for key, value in (resources.get("requests") or {}).items():
        if quantity(value).nanos < 0:
            yield invalid(f"{path}.requests[{key}]", value, "must be greater than or equal to 0")
        if key in limits and quantity(value).nanos > quantity(limits[key]).nanos:
            yield invalid(f"{path}.requests", value, f"must be less than or equal to {key} limit of {limits[key]}")


def _volumes(volumes: list[Body], path: str) -> Iterator[FieldError]:
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        name = volume.get("name", "")
        if not name:
            yield required(f"{path}[{index}].name")
            continue
        for fault in dns_label_faults(name):
            yield invalid(f"{path}[{index}].name", name, fault)
        if name in names:
            yield duplicate(f"{path}[{index}].name", name)
        names.add(name)


def _gates(gates: list[Body], path: str) -> Iterator[FieldError]:
    names: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name", "")
        for fault in subdomain_faults(name.rpartition("/")[0]) if "/" in name else ():
            yield invalid(f"{path}[{index}]", name, f"prefix part {fault}")
        if name in names:
            yield duplicate(f"{path}[{index}]", name)
        names.add(name)


_UPDATE_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_GATED_MAY_CHANGE = ("nodeSelector", "affinity")


def _update(spec: Body, old: Body) -> Iterator[FieldError]:
    before = {gate.get("name") for gate in old.get("schedulingGates") or ()}
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        if gate.get("name") not in before:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            yield forbidden_field(f"spec.schedulingGates[{index}].name", text)
    if _frozen(spec, bool(before)) != _frozen(old, bool(before)):
        yield forbidden_field("spec", _UPDATE_TEXT)
    if any(item not in (spec.get("tolerations") or ()) for item in old.get("tolerations") or ()):
        yield forbidden_field(
            "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"
        )


def _frozen(spec: Body, gated: bool) -> Body:
    free = ("activeDeadlineSeconds", "tolerations", "schedulingGates", *(_GATED_MAY_CHANGE if gated else ()))
    kept = {key: value for key, value in spec.items() if key not in free}
    for kind in ("containers", "initContainers"):
        if kind in kept:
            kept[kind] = [{key: value for key, value in item.items() if key != "image"} for item in kept[kind]]
    return kept
