"""Whether a pod fits on a node: readiness, node selector, required node affinity, taints, free resources."""

from collections.abc import Mapping

from local.nodes.scheduler.resources import Amounts, lacking, requests
from shared.model.types import Body

_KEEPING_OUT = ("NoSchedule", "NoExecute")


def obstacle(pod: Body, node: Body, free: Amounts) -> str:
    """Why the pod does not fit, in kube-scheduler's words; "" if it does."""
    if node["spec"].get("unschedulable") and not _tolerated(pod, _CORDON):
        return "node(s) were unschedulable"
    if not _selected(pod, node):
        return "node(s) didn't match Pod's node affinity/selector"
    for taint in node["spec"].get("taints") or []:
        if taint["effect"] in _KEEPING_OUT and not _tolerated(pod, taint):
            return f"node(s) had untolerated taint(s) {{{taint['key']}: {taint.get('value', '')}}}"
    short = lacking(requests(pod), free)
    return f"Insufficient {short[0]}" if short else ""


def claim_obstacle(pod: Body, claims: Mapping[tuple[str, str], Body]) -> str:
    """The claim that keeps the pod off all nodes, in kube-scheduler's words; "" if there is none."""
    for volume in pod["spec"].get("volumes") or []:
        if "persistentVolumeClaim" not in volume:
            continue
        name = volume["persistentVolumeClaim"]["claimName"]
        claim = claims.get((pod["metadata"]["namespace"], name))
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if "deletionTimestamp" in claim["metadata"]:
            return f'persistentvolumeclaim "{name}" is being deleted'
    return ""


_CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def _tolerated(pod: Body, taint: Body) -> bool:
    return any(_tolerates(each, taint) for each in pod["spec"].get("tolerations") or [])


def _tolerates(toleration: Body, taint: Body) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key", "") in ("", taint["key"])
    return bool(toleration.get("key") == taint["key"]) and bool(toleration.get("value", "") == taint.get("value", ""))


def _selected(pod: Body, node: Body) -> bool:
    labels = node["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(_term(term, node) for term in required["nodeSelectorTerms"])


def _term(term: Body, node: Body) -> bool:
    labels = node["metadata"].get("labels") or {}
    fields = {"metadata.name": node["metadata"]["name"]}
    expressions, on_fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    return bool(expressions or on_fields) and (
        all(_expression(each, labels) for each in expressions) and all(_expression(each, fields) for each in on_fields)
    )


def _expression(expression: Body, labels: dict[str, str]) -> bool:
    value = labels.get(expression["key"])
    values = expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and int(value) > int(values[0])
        case "Lt":
            return value is not None and int(value) < int(values[0])
    return False
