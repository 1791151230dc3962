"""Defaults of built-in kinds other than pods, as far as clients and controllers read them."""

import base64
from collections.abc import Callable
from typing import Any

from local.apiserver.kinds import pods
from local.apiserver.schema import crdrules
from local.apiserver.types.resources import Resource
from shared.model.types import Body


def _namespace(obj: Body) -> None:
    obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")
    obj["status"] = {"phase": "Active"}


def _secret(obj: Body) -> None:
    obj.setdefault("type", "Opaque")
    for key, value in obj.pop("stringData", {}).items():
        obj.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()


def _claim(obj: Body) -> None:
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    for side in ("requests", "limits"):
        pods.canonical_amounts(obj["spec"].get("resources") or {}, side)
    obj["status"] = {"phase": "Pending"}


def _service(obj: Body) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["type"] != "ExternalName":
        spec.setdefault("clusterIP", _address(obj["metadata"]))
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    obj["status"] = {"loadBalancer": {}}


def _address(meta: Body) -> str:
    number = int(meta["uid"][:4], 16) if meta.get("uid") else 1
    return f"10.96.{number >> 8}.{number & 255}"


def _template(obj: Body) -> None:
    template = obj.setdefault("spec", {}).setdefault("template", {})
    template.setdefault("metadata", {})
    pods.template_defaults(template.setdefault("spec", {}))


def _deployment(obj: Body) -> None:
    _template(obj)
    spec = obj["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("strategy", {"type": "RollingUpdate"})
    if spec["strategy"].get("type", "RollingUpdate") == "RollingUpdate":
        rolling = spec["strategy"].setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    obj.setdefault("status", {})


def _replicated(obj: Body) -> None:
    _template(obj)
    obj["spec"].setdefault("replicas", 1)
    obj.setdefault("status", {"replicas": 0})


def _daemon_set(obj: Body) -> None:
    _template(obj)
    obj["spec"].setdefault("revisionHistoryLimit", 10)
    obj.setdefault(
        "status", {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0}
    )


def _job(obj: Body) -> None:
    _template(obj)
    spec = obj["spec"]
    for key, value in (("completions", 1), ("parallelism", 1), ("backoffLimit", 6), ("completionMode", "NonIndexed")):
        spec.setdefault(key, value)
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    uid = obj["metadata"].get("uid")
    if uid and not spec.get("selector"):
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        spec["template"]["metadata"].setdefault("labels", {})["batch.kubernetes.io/controller-uid"] = uid
    obj.setdefault("status", {})


def _webhooks(obj: Body) -> None:
    mutating = obj["kind"].startswith("Mutating")
    for hook in obj.get("webhooks") or ():
        for key, value in (("failurePolicy", "Fail"), ("matchPolicy", "Equivalent"), ("timeoutSeconds", 10)):
            hook.setdefault(key, value)
        hook.setdefault("namespaceSelector", {})
        hook.setdefault("objectSelector", {})
        if mutating:
            hook.setdefault("reinvocationPolicy", "Never")
        for rule in hook.get("rules") or ():
            rule.setdefault("scope", "*")
        service = hook.get("clientConfig", {}).get("service")
        if service is not None:
            service.setdefault("port", 443)


def _crd(obj: Body) -> None:
    spec = obj.setdefault("spec", {})
    names = spec.setdefault("names", {})
    names.setdefault("singular", names.get("kind", "").lower())
    names.setdefault("listKind", names.get("kind", "") + "List")
    spec.setdefault("conversion", {"strategy": "None"})
    for version in spec.get("versions") or ():
        if version.get("additionalPrinterColumns") == []:
            del version["additionalPrinterColumns"]
    if spec.get("versions"):
        obj["status"] = crdrules.established(obj)


def _priority_class(obj: Body) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _bindings(obj: Body) -> None:
    reference = obj.get("roleRef") or {}
    reference.setdefault("apiGroup", "rbac.authorization.k8s.io")
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _quota(obj: Body) -> None:
    pods.canonical_amounts(obj.get("spec") or {}, "hard")


def _node(obj: Body) -> None:
    for key in ("capacity", "allocatable"):
        pods.canonical_amounts(obj.get("status") or {}, key)


_RBAC, _ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
_DEFAULTS: dict[tuple[str, str], Callable[[Body], None]] = {
    ("", "namespaces"): _namespace,
    ("", "pods"): pods.at_create,
    ("", "resourcequotas"): _quota,
    ("", "nodes"): _node,
    ("", "secrets"): _secret,
    ("", "services"): _service,
    ("", "persistentvolumeclaims"): _claim,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replicated,
    ("apps", "statefulsets"): _replicated,
    ("apps", "daemonsets"): _daemon_set,
    ("batch", "jobs"): _job,
    (_ADMISSION, "mutatingwebhookconfigurations"): _webhooks,
    (_ADMISSION, "validatingwebhookconfigurations"): _webhooks,
    ("apiextensions.k8s.io", "customresourcedefinitions"): _crd,
    ("scheduling.k8s.io", "priorityclasses"): _priority_class,
    (_RBAC, "rolebindings"): _bindings,
    (_RBAC, "clusterrolebindings"): _bindings,
}


def at_create(obj: Body, resource: Resource) -> None:
    """Fill in the kind's defaults and its first status, in place."""
    fill = _DEFAULTS.get(resource.gr)
    if fill is not None:
        fill(obj)


def at_update(new: Body, old: Body, resource: Resource) -> None:
    """Set defaults that an update left out, in place, except fields that the server keeps."""
    status: Any = new.get("status")
    if resource.gr == ("", "pods"):
        pods.template_defaults(new.setdefault("spec", {}))
        for key in ("serviceAccountName", "serviceAccount", "preemptionPolicy", "priority", "tolerations", "nodeName"):
            if key in old.get("spec", {}):
                new["spec"].setdefault(key, old["spec"][key])
        return
    if resource.gr == ("", "namespaces"):
        new["spec"] = old.get("spec", {})
        new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"].get("name", "")
        return
    if resource.gr == ("", "services"):
        for key in ("clusterIP", "clusterIPs"):
            if key in old.get("spec", {}):
                new.setdefault("spec", {}).setdefault(key, old["spec"][key])
    if resource.gr == ("", "persistentvolumeclaims"):
        new.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
        return
    at_create(new, resource)
    if status is not None:
        new["status"] = status
