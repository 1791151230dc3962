"""Validation of built-in kinds other than pods: required fields by schema, and some common rules."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from local.apiserver.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required, too_long
from local.apiserver.kinds import pods
from local.apiserver.schema import matchconditions
from local.apiserver.schema.structural import Resolve
from local.apiserver.types.objectmeta import subdomain_faults
from shared.model.types import Body

_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_MAX_DATA = 1024 * 1024  # bytes in a ConfigMap or Secret
_OWN_RULES = ("containers", "name", "image")  # reported by the kind's own rules


def required_fields(value: Any, schema: Body, resolve: Resolve, path: str) -> Iterator[FieldError]:
    """`Required value` for every missing field that the schema requires."""
    schema = resolve(schema)
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        for name in schema.get("required") or ():
            if value.get(name) in (None, "") and not path.startswith(("status", "metadata")) and name not in _OWN_RULES:
                yield required(f"{path}.{name}" if path else name)
        more = schema.get("additionalProperties")
        for name, item in value.items():
            inner = properties.get(name, more)
            if isinstance(inner, dict) and isinstance(item, (dict, list)):
                yield from required_fields(item, inner, resolve, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from required_fields(item, schema["items"], resolve, f"{path}[{index}]")


def _workload(obj: Body, old: Body | None) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    template = spec.get("template") or {}
    yield from pods.validate_spec(template.get("spec") or {}, "spec.template.spec")
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    found = (template.get("metadata") or {}).get("labels") or {}
    if any(found.get(key) != value for key, value in wanted.items()):
        yield invalid("spec.template.metadata.labels", found, "`selector` does not match template `labels`")
    if old is not None and spec.get("selector") != (old.get("spec") or {}).get("selector"):
        yield invalid("spec.selector", spec.get("selector"), "field is immutable")


def _job(obj: Body, old: Body | None) -> Iterator[FieldError]:
    spec = (obj.get("spec") or {}).get("template", {}).get("spec") or {}
    yield from pods.validate_spec(spec, "spec.template.spec")
    if spec.get("restartPolicy") not in ("OnFailure", "Never"):
        yield not_supported("spec.template.spec.restartPolicy", spec.get("restartPolicy"), ("OnFailure", "Never"))
    before = (old or {}).get("spec", {}).get("template")
    if old is not None and obj["spec"].get("template") != before:
        yield invalid("spec.template", obj["spec"].get("template"), "field is immutable")


def _webhooks(obj: Body, old: Body | None) -> Iterator[FieldError]:
    names: set[str] = set()
    for index, hook in enumerate(obj.get("webhooks") or ()):
        path = f"webhooks[{index}]"
        name = hook.get("name", "")
        if len(name.split(".")) < 3 or subdomain_faults(name):
            yield invalid(f"{path}.name", name, "should be a domain with at least three segments separated by dots")
        if name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
        yield from _webhook(hook, path)


def _webhook(hook: Body, path: str) -> Iterator[FieldError]:
    versions = hook.get("admissionReviewVersions")
    if versions and not {"v1", "v1beta1"} & set(versions):
        shown = "must include at least one of v1, v1beta1"
        yield invalid(f"{path}.admissionReviewVersions", versions, shown)
    if hook.get("sideEffects") not in (None, "", "None", "NoneOnDryRun"):
        yield not_supported(f"{path}.sideEffects", hook["sideEffects"], ("None", "NoneOnDryRun"))
    if hook["failurePolicy"] not in ("Fail", "Ignore"):
        yield not_supported(f"{path}.failurePolicy", hook["failurePolicy"], ("Fail", "Ignore"))
    if not 1 <= hook["timeoutSeconds"] <= 30:
        yield invalid(
            f"{path}.timeoutSeconds", hook["timeoutSeconds"], "the timeout value must be between 1 and 30 seconds"
        )
    config = hook.get("clientConfig") or {}
    if ("url" in config) == ("service" in config):
        yield required(f"{path}.clientConfig", "exactly one of url or service is required")
    url = config.get("url", "https://")
    if not url.startswith("https://"):
        yield invalid(f"{path}.clientConfig.url", url.partition(":")[0], "'https' is the only allowed URL scheme")
    for index, condition in enumerate(hook.get("matchConditions") or ()):
        fault = matchconditions.fault(condition.get("expression", ""))
        if fault:
            where = f"{path}.matchConditions[{index}].expression"
            yield invalid(where, condition.get("expression", ""), f"compilation failed: {fault}")
    for index, rule in enumerate(hook.get("rules") or ()):
        for key in ("apiGroups", "apiVersions", "operations", "resources"):
            if not rule.get(key):
                yield required(f"{path}.rules[{index}].{key}")


def _role_binding(obj: Body, old: Body | None) -> Iterator[FieldError]:
    if old is not None and obj.get("roleRef") != old.get("roleRef"):
        yield invalid("roleRef", obj.get("roleRef"), "cannot change roleRef")
    for index, subject in enumerate(obj.get("subjects") or ()):
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            yield required(f"subjects[{index}].namespace")


def _service(obj: Body, old: Body | None) -> Iterator[FieldError]:
    spec, before = obj.get("spec") or {}, (old or {}).get("spec") or {}
    headless = spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName"
    if not spec.get("ports") and not headless:
        yield required("spec.ports")
    for index, port in enumerate(spec.get("ports") or ()):
        if not 0 < port.get("port", 0) < 65536:
            yield invalid(f"spec.ports[{index}].port", port.get("port", 0), "must be between 1 and 65535, inclusive")
        if len(spec["ports"]) > 1 and not port.get("name"):
            yield required(f"spec.ports[{index}].name")
    if before.get("clusterIP") and spec.get("clusterIP") != before["clusterIP"]:
        yield invalid("spec.clusterIP", spec.get("clusterIP"), "field is immutable")


def _immutable_data(obj: Body, old: Body | None) -> Iterator[FieldError]:
    kept = [*(obj.get("data") or {}).values(), *(obj.get("binaryData") or {}).values()]
    for field in ("data", "binaryData"):
        for key in obj.get(field) or ():
            if not _CONFIG_KEY.fullmatch(key) or key in (".", ".."):
                yield invalid(f"{field}[{key}]", key, _CONFIG_KEY_TEXT)
    if sum(len(value.encode()) for value in kept) > _MAX_DATA:
        yield too_long("[]", _MAX_DATA)
    if old is None or not old.get("immutable"):
        return
    for key in ("data", "binaryData"):
        if obj.get(key) != old.get(key):
            yield forbidden_field(key, "field is immutable when `immutable` is set")


def _claim(obj: Body, old: Body | None) -> Iterator[FieldError]:
    if not obj.get("spec", {}).get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    if not ((obj.get("spec", {}).get("resources") or {}).get("requests") or {}).get("storage"):
        yield required("spec.resources[storage]")


def _lease(obj: Body, old: Body | None) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    turns = spec.get("leaseTransitions")
    if turns is not None and turns < 0:
        yield invalid("spec.leaseTransitions", turns, "must be greater than or equal to 0")


def _priority_class(obj: Body, old: Body | None) -> Iterator[FieldError]:
    if old is not None and obj.get("value", 0) != old.get("value", 0):
        yield forbidden_field("value", "may not be changed in an update.")


_EVENT_NEEDS = (("reportingComponent", 0), ("reportingInstance", 128), ("action", 128), ("reason", 128))


def _event(obj: Body, old: Body | None) -> Iterator[FieldError]:
    about = (obj.get("involvedObject") or {}).get("namespace", "")
    namespace = obj["metadata"].get("namespace", "")
    new_style = bool(obj.get("eventTime"))
    homes = ("default", "kube-system") if new_style else ("default",)
    if (not about and namespace not in homes) or (about and about != namespace and not new_style):
        yield invalid("involvedObject.namespace", about, "does not match event.namespace")
    for key, longest in _EVENT_NEEDS if new_style else ():
        if not obj.get(key):
            yield required(key)
        elif longest and len(obj[key]) > longest:
            yield invalid(key, "", f"can have at most {longest} characters")
    if new_style and len(obj.get("message") or "") > 1024:
        yield invalid("message", "", "can have at most 1024 characters")


_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
RULES: dict[tuple[str, str], Callable[[Body, Body | None], Iterator[FieldError]]] = {
    ("", "services"): _service,
    ("", "configmaps"): _immutable_data,
    ("", "secrets"): _immutable_data,
    ("", "persistentvolumeclaims"): _claim,
    ("", "events"): _event,
    ("apps", "deployments"): _workload,
    ("apps", "replicasets"): _workload,
    ("apps", "statefulsets"): _workload,
    ("apps", "daemonsets"): _workload,
    ("batch", "jobs"): _job,
    ("coordination.k8s.io", "leases"): _lease,
    ("scheduling.k8s.io", "priorityclasses"): _priority_class,
    (_ADMISSION, "mutatingwebhookconfigurations"): _webhooks,
    (_ADMISSION, "validatingwebhookconfigurations"): _webhooks,
    (_RBAC, "rolebindings"): _role_binding,
    (_RBAC, "clusterrolebindings"): _role_binding,
}
