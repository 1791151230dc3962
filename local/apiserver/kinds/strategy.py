"""The strategies of the registry: fields that the server sets or keeps at create and update."""

from collections.abc import Callable, Iterator
from typing import Any

from local.apiserver.errors import FieldError
from local.apiserver.kinds import defaults, pods, rules
from local.apiserver.schema import crdrules, validation
from local.apiserver.types import objectmeta
from local.apiserver.types.resources import Resource
from shared.model.types import Body

_GENERATION = {
    ("", "pods"),
    ("", "podtemplates"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
}
_KEEPS_STATUS = {("", "nodes"), ("apiregistration.k8s.io", "apiservices")}


def prepare_create(obj: Body, resource: Resource) -> None:
    """Reset fields that a client may not set at creation, in place."""
    meta = obj["metadata"]
    for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields", "resourceVersion"):
        meta.pop(key, None)
    meta.pop("generation", None)
    if resource.custom or resource.gr in _GENERATION:
        meta["generation"] = 1
    if resource.has_status and resource.gr not in _KEEPS_STATUS:
        obj.pop("status", None)
    if not resource.custom:
        defaults.at_create(obj, resource)


def prepare_update(new: Body, old: Body, resource: Resource, subresource: str) -> Body:
    """The object to store: fields that this endpoint may not change are taken from `old`."""
    if subresource == "status":
        new = _status_update(new, old, resource)
    elif resource.has_status:
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)
    meta, before = new["metadata"], old["metadata"]
    for key in (
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "generateName",
    ):
        if key in before:
            meta[key] = (
                before[key]
                if key in ("deletionTimestamp", "deletionGracePeriodSeconds", "generation")
                else meta.get(key) or before[key]
            )
        elif key != "generateName":
            meta.pop(key, None)
    for key in ("managedFields", "selfLink"):
        meta.pop(key, None)
    if not resource.custom and subresource != "status":
        defaults.at_update(new, old, resource)
    if "generation" in before and subresource != "status" and _desired(new, resource) != _desired(old, resource):
        meta["generation"] = before["generation"] + 1
    return new


def _desired(obj: Body, resource: Resource) -> Body:
    left_out = {"metadata", "apiVersion", "kind"} | ({"status"} if resource.has_status else set())
    return {key: value for key, value in obj.items() if key not in left_out}


def _status_update(new: Body, old: Body, resource: Resource) -> Body:
    kept = {**old, "metadata": dict(old["metadata"])}
    if "status" in new:
        kept["status"] = new["status"]
    else:
        kept.pop("status", None)
    if not resource.custom:
        kept["metadata"] = {**new["metadata"]}
        kept["metadata"].pop("ownerReferences", None)
        if "ownerReferences" in old["metadata"]:
            kept["metadata"]["ownerReferences"] = old["metadata"]["ownerReferences"]
    kept["metadata"]["resourceVersion"] = new["metadata"].get("resourceVersion", "")
    return kept


Rule = Callable[[Body, Body | None], Iterator[FieldError]]
_RULES: dict[tuple[str, str], Rule] = {
    ("", "pods"): pods.validate,
    ("apiextensions.k8s.io", "customresourcedefinitions"): crdrules.validate,
    **rules.RULES,
}


def validate(obj: Body, old: Body | None, resource: Resource, subresource: str, resolve: Any) -> list[FieldError]:
    """All field errors of the object to be stored."""
    found = list(objectmeta.validate(obj, resource))
    if old is not None:
        found += objectmeta.validate_update(obj, old)
    if resource.custom:
        if resource.schema is not None:
            before: Any = {"old": old} if old is not None else {}
            found += validation.validate(obj, resource.schema, "", **before)
    elif resource.schema is not None and subresource != "status":
        changed = obj if old is None else {**obj, **{key: None for key in obj if old.get(key) == obj[key]}}
        found += (
            fault
            for fault in rules.required_fields(changed, resource.schema, resolve, "")
            if old is None or fault.path not in old
        )
    rule = _RULES.get(resource.gr)
    if rule is not None and subresource != "status":
        found += rule(obj, old)
    return found
