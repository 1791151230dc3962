"""Subresources with their own behaviour: binding, eviction, scale, token, finalize; and reviews."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from local.apiserver import clock
from local.apiserver.admission import plugins
from local.apiserver.admission.dispatch import AdmissionRequest
from local.apiserver.apply.jsonpatch import apply_json, apply_merge
from local.apiserver.auth import AuthorizationAttributes
from local.apiserver.call import ApiRequest, User
from local.apiserver.errors import StatusError, bad_request, conflict, invalid, invalid_object, method_not_allowed
from local.apiserver.storage import selectors
from local.apiserver.storage.store import StoredObject
from local.apiserver.verbs import deletion, reads, writes
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

Answer = tuple[int, Body | StoredObject]
CREATED: Body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
_PODS = ("", "pods")


async def bind(core: "ServerState", call: ApiRequest, raw: Body) -> Answer:
    """pods/binding: bind a pod to a node. 409 if it is bound, being deleted, or has scheduling gates."""
    entry = reads.get(core, call)
    node = (raw.get("target") or {}).get("name", "")
    if not node:
        fault = invalid("target.name", "", "")._replace(reason="FieldValueRequired", text="Required value")
        raise invalid_object("", "Binding", call.name, [fault])
    await core.admission.validate(AdmissionRequest(call, "CREATE", raw, None, call.name))
    entry = reads.get(core, call)
    obj = entry.copy()
    spec, meta = obj["spec"], obj["metadata"]
    why = ""
    if meta.get("deletionTimestamp"):
        why = f"pod {call.name} is being deleted, cannot be assigned to a host"
    elif spec.get("nodeName"):
        why = f'pod {call.name} is already assigned to node "{spec["nodeName"]}"'
    elif spec.get("schedulingGates"):
        why = f"pod {call.name} has non-empty .spec.schedulingGates"
    if why:
        raise conflict("", "pods/binding", call.name, why)
    wanted = (raw.get("metadata") or {}).get("uid")
    if wanted and wanted != entry.uid:
        why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {entry.uid}"
        raise conflict("", "pods/binding", call.name, why)
    spec["nodeName"] = node
    meta.setdefault("annotations", {}).update((raw.get("metadata") or {}).get("annotations") or {})
    if not meta["annotations"]:
        del meta["annotations"]
    conditions = [c for c in obj["status"].get("conditions") or () if c.get("type") != "PodScheduled"]
    conditions.append({"type": "PodScheduled", "status": "True", "lastTransitionTime": clock.now()})
    obj["status"]["conditions"] = conditions
    if not call.dry_run:
        core.store.update(_PODS, obj, entry)
    return 201, CREATED


async def evict(core: "ServerState", call: ApiRequest, raw: Body) -> Answer:
    """pods/eviction: a deletion that ignores disruption budgets."""
    call.options = raw.get("deleteOptions") or {}
    await deletion.delete(core, call)
    return 201, CREATED


async def token(core: "ServerState", call: ApiRequest, raw: Body) -> Answer:
    """serviceaccounts/token: a bearer token of the account."""
    entry = reads.get(core, call)
    seconds = (raw.get("spec") or {}).get("expirationSeconds") or 3600
    status = {
        "token": core.auth.service_account(call.namespace, call.name, entry.uid),
        "expirationTimestamp": clock.after(seconds),
    }
    meta = {"name": call.name, "namespace": call.namespace, "creationTimestamp": clock.now()}
    spec = {"audiences": ["https://kubernetes.default.svc"], "expirationSeconds": seconds, **(raw.get("spec") or {})}
    found = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": meta}
    return 201, {**found, "spec": spec, "status": status}


async def finalize(core: "ServerState", call: ApiRequest, raw: Body) -> Answer:
    """namespaces/finalize: set the finalizers in the namespace's spec; without any it can be deleted."""
    entry = reads.get(core, call)
    obj = entry.copy()
    finalizers = (raw.get("spec") or {}).get("finalizers") or []
    obj["spec"] = {"finalizers": finalizers} if finalizers else {}
    if obj["metadata"].get("deletionTimestamp") and not finalizers and not obj["metadata"].get("finalizers"):
        return 200, core.store.delete(call.gr, entry, obj)
    return 200, core.store.update(call.gr, obj, entry)


# --- scale ------------------------------------------------------------------------------------------------------------
_SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


def scale_of(call: ApiRequest, entry: StoredObject) -> Body:
    """The object's replicas as an autoscaling/v1 Scale."""
    paths = call.resource.scale or _SCALE
    meta = {
        key: entry.meta[key]
        for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if key in entry.meta
    }
    wanted = selectors.dig(entry.obj, paths.get("specReplicasPath", "").lstrip("."))
    found = selectors.dig(entry.obj, paths.get("statusReplicasPath", "").lstrip("."))
    status: Body = {"replicas": found or 0}
    label = (
        selectors.dig(entry.obj, paths.get("labelSelectorPath", "").lstrip("."))
        if paths.get("labelSelectorPath")
        else None
    )
    labels = selectors.dig(entry.obj, "spec.selector.matchLabels") if label is None else None
    if label or labels:
        status["selector"] = label or ",".join(f"{key}={value}" for key, value in (labels or {}).items())
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": {"replicas": wanted or 0},
        "status": status,
    }


async def set_scale(core: "ServerState", call: ApiRequest, content_type: str, raw: Any) -> Body:
    """Write the replicas of a PUT or PATCH of the Scale."""
    entry = reads.get(core, call)
    current = scale_of(call, entry)
    if call.verb == "patch":
        raw = apply_json(current, raw) if "json-patch" in content_type else apply_merge(current, raw)
    replicas = (raw.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        fault = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid_object("autoscaling", "Scale", call.name, [fault])
    wanted_rv = (raw.get("metadata") or {}).get("resourceVersion")
    path = (call.resource.scale or _SCALE).get("specReplicasPath", ".spec.replicas").lstrip(".").split(".")

    def change(found: StoredObject) -> Body:
        obj = found.copy()
        obj["metadata"]["resourceVersion"] = wanted_rv or str(found.rv)
        inner = obj
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
        inner[path[-1]] = replicas
        return obj

    return scale_of(call, await writes.update(core, call, change))


# --- reviews ----------------------------------------------------------------------------------------------------------
async def review(core: "ServerState", call: ApiRequest, raw: Body) -> Answer:
    """Authentication and authorization reviews, which are answered and not stored."""
    found = {
        "kind": call.resource.kind,
        "apiVersion": call.resource.api_version,
        "metadata": {"creationTimestamp": None},
    }
    spec = raw.get("spec") or {}
    return 201, {**found, "spec": spec, "status": _REVIEWS[call.resource.plural](core, call, spec)}


def _access(core: "ServerState", call: ApiRequest, spec: Body, user: User) -> Body:
    wanted, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (wanted is None) == (path is None):
        raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")
    if wanted is not None:
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        asks = AuthorizationAttributes(**{key: wanted.get(key) or "" for key in names})
    else:
        asks = AuthorizationAttributes((path or {}).get("verb", ""), path=(path or {}).get("path", ""))
    allowed = not core.options.rbac or core.auth.allowed(user, asks)
    return {"allowed": allowed} if allowed else {"allowed": False, "reason": ""}


def _subject(core: "ServerState", call: ApiRequest, spec: Body) -> Body:
    return _access(core, call, spec, User(spec.get("user") or "", tuple(spec.get("groups") or ())))


def _rules(core: "ServerState", call: ApiRequest, spec: Body) -> Body:
    everything = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    masters = not core.options.rbac or "system:masters" in call.user.groups
    rules = (
        everything
        if masters
        else [r for r in core.auth.rules(call.user, spec.get("namespace", "")) if r.get("resources")]
    )
    return {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}


def _token(core: "ServerState", call: ApiRequest, spec: Body) -> Body:
    try:
        user = core.auth.identify(f"Bearer {spec.get('token', '')}")
    except StatusError:
        return {"authenticated": False, "user": {}, "error": "[invalid bearer token]"}
    return {"authenticated": True, "user": user.info if user is not None else {}}


_REVIEWS: dict[str, Callable[["ServerState", ApiRequest, Body], Body]] = {
    "selfsubjectaccessreviews": lambda core, call, spec: _access(core, call, spec, call.user),
    "subjectaccessreviews": _subject,
    "localsubjectaccessreviews": _subject,
    "selfsubjectrulesreviews": _rules,
    "selfsubjectreviews": lambda core, call, spec: {"userInfo": call.user.info},
    "tokenreviews": _token,
}
REVIEW_PLURALS = frozenset(_REVIEWS)
_POSTED: dict[str, Callable[["ServerState", ApiRequest, Body], Awaitable[Answer]]] = {
    "binding": bind,
    "eviction": evict,
    "token": token,
}


async def post(core: "ServerState", call: ApiRequest, raw: Any) -> Answer:
    """POST to a subresource."""
    handler = _POSTED.get(call.subresource)
    if handler is None:
        raise method_not_allowed()
    if not isinstance(raw, dict):
        raise bad_request("the body is not an object")
    plugins.namespace_open(core, call, raw) if call.subresource == "binding" and "metadata" in raw else None
    return await handler(core, call, raw)
