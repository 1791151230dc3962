"""DELETE: preconditions, grace periods of pods, finalizers, propagation policies, collections."""

from typing import TYPE_CHECKING

from local.apiserver import clock
from local.apiserver.admission.dispatch import review_of
from local.apiserver.call import ApiRequest
from local.apiserver.errors import bad_request, conflict, invalid, invalid_object, not_found, not_supported
from local.apiserver.storage.store import StoredObject
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_RETURNS_OBJECT = {
    "pods",
    "services",
    "serviceaccounts",
    "persistentvolumes",
    "persistentvolumeclaims",
    "podtemplates",
    "limitranges",
    "resourcequotas",
}
_POLICIES = ("Foreground", "Background", "Orphan")


def check_options(options: Body) -> None:
    """Refuse contradictory delete options."""
    policy = options.get("propagationPolicy")
    if policy is not None and policy not in _POLICIES:
        fault = not_supported("propagationPolicy", policy, (*_POLICIES, "nil"))
        raise invalid_object("meta.k8s.io", "DeleteOptions", "", [fault])
    if policy is not None and options.get("orphanDependents") is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        fault = invalid("propagationPolicy", policy, text)
        raise invalid_object("meta.k8s.io", "DeleteOptions", "", [fault])


async def delete(core: "ServerState", call: ApiRequest) -> tuple[StoredObject, bool]:
    """Delete one object. Its last state, and whether it is gone (False: it has finalizers or a grace period)."""
    check_options(call.options)
    for _ in range(5):
        entry = core.store.get(call.gr, call.namespace, call.name)
        if entry is None:
            raise not_found(*call.gr, call.name)
        _preconditions(call, entry)
        review = review_of(call, "DELETE", None, entry, call.name)
        review.options = {key: value for key, value in call.options.items() if key not in ("kind", "apiVersion")}
        await core.admission.mutate(review)
        await core.admission.validate(review)
        if core.store.get(call.gr, call.namespace, call.name) is entry:
            return _delete(core, call, entry)
    raise conflict(*call.gr, call.name)


def _preconditions(call: ApiRequest, entry: StoredObject) -> None:
    wanted = call.options.get("preconditions") or {}
    if wanted.get("uid") not in (None, entry.uid):
        why = f"Precondition failed: UID in precondition: {wanted['uid']}, UID in object meta: {entry.uid}"
        raise conflict(*call.gr, call.name, why)
    if wanted.get("resourceVersion") not in (None, str(entry.rv)):
        why = (
            f"Precondition failed: ResourceVersion in precondition: {wanted['resourceVersion']}, "
            f"ResourceVersion in object meta: {entry.rv}"
        )
        raise conflict(*call.gr, call.name, why)


def _delete(core: "ServerState", call: ApiRequest, entry: StoredObject) -> tuple[StoredObject, bool]:
    obj = entry.copy()
    meta = obj["metadata"]
    finalizers = _finalizers(call, meta)
    grace = _grace(call, obj)
    waits = bool(finalizers) or _has_content(call, obj)
    if meta.get("deletionTimestamp") and finalizers == (entry.meta.get("finalizers") or []):
        remaining = meta.get("deletionGracePeriodSeconds") or 0
        if grace >= remaining and (waits or remaining):
            return entry, False
    if grace == 0 and not waits:
        return (entry, True) if call.dry_run else (core.store.delete(call.gr, entry), True)
    if "generation" in meta and not meta.get("deletionTimestamp"):
        meta["generation"] += 1
    if not meta.get("deletionTimestamp") or grace < (meta.get("deletionGracePeriodSeconds") or 0):
        meta["deletionTimestamp"] = clock.after(grace)
        meta["deletionGracePeriodSeconds"] = grace
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
    if call.gr == ("", "namespaces"):
        obj.setdefault("status", {})["phase"] = "Terminating"
    return (entry, False) if call.dry_run else (core.store.update(call.gr, obj, entry), False)


def _has_content(call: ApiRequest, obj: Body) -> bool:
    """Whether a namespace still has finalizers in its spec."""
    return call.gr == ("", "namespaces") and bool((obj.get("spec") or {}).get("finalizers"))


def _finalizers(call: ApiRequest, meta: Body) -> list[str]:
    """The object's finalizers as the propagation policy leaves them."""
    policy, orphan = call.options.get("propagationPolicy"), call.options.get("orphanDependents")
    found = [name for name in meta.get("finalizers") or () if name not in (FOREGROUND, ORPHAN)]
    if call.resource.plural == "customresourcedefinitions" and not meta.get("deletionTimestamp"):
        found.append(CRD_CLEANUP)
    given = set(meta.get("finalizers") or ())
    if policy == "Orphan" or orphan is True:
        return [*found, ORPHAN]
    if policy == "Foreground":
        return [*found, FOREGROUND]
    if policy == "Background" or orphan is False:
        return found
    return found + [name for name in (ORPHAN, FOREGROUND) if name in given]


def _grace(call: ApiRequest, obj: Body) -> int:
    """The grace period of a pod in seconds: 0 unless it is bound to a node and has not ended."""
    if call.gr != ("", "pods"):
        return 0
    wanted = call.options.get("gracePeriodSeconds")
    if wanted is not None and wanted < 0:
        raise bad_request("gracePeriodSeconds must be non-negative")
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in ("Failed", "Succeeded"):
        return 0
    if wanted is not None:
        return int(wanted)
    return int(spec.get("terminationGracePeriodSeconds", 30))


def answer(call: ApiRequest, entry: StoredObject, gone: bool) -> tuple[int, Body | StoredObject]:
    """The response: the object while it still exists (or for kinds that return it), else a Status."""
    if not gone:
        early = call.options.get("orphanDependents") is False or call.options.get("propagationPolicy") == "Foreground"
        return (202 if early else 200), entry
    if not call.resource.group and call.resource.plural in _RETURNS_OBJECT:
        return 200, entry
    details = {"name": call.name, "group": call.resource.group, "kind": call.resource.plural, "uid": entry.uid}
    return 200, {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
