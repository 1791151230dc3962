"""Create, update and patch in the order of kube-apiserver's handlers: decode, mutate, prepare, validate, store."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from local.apiserver import clock
from local.apiserver.admission import plugins
from local.apiserver.admission.dispatch import AdmissionRequest, review_of
from local.apiserver.apply import managedfields
from local.apiserver.call import ApiRequest
from local.apiserver.errors import (
    StatusError,
    already_exists,
    bad_request,
    conflict,
    invalid,
    invalid_object,
    not_found,
    not_supported,
)
from local.apiserver.kinds import defaults, strategy
from local.apiserver.schema import decoding
from local.apiserver.storage.store import StoredObject
from local.apiserver.types import objectmeta
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

Change = Callable[[StoredObject], Body]
MAX_STORED = 1536 * 1024  # etcd's --max-request-bytes
ATTEMPTS = 5  # retries of a write without resourceVersion after a concurrent write
_FIELD_VALIDATION = ("", "Ignore", "Strict", "Warn")
_MUST_VERSION = {
    "customresourcedefinitions",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "apiservices",
    "poddisruptionbudgets",
}


def _check_options(call: ApiRequest, kind: str) -> None:
    faults = []
    if call.query.get("dryRun", "All") not in ("", "All"):
        faults.append(not_supported("dryRun", [call.query["dryRun"]], ("All",)))
    validation = call.query.get("fieldValidation", "")
    if validation not in _FIELD_VALIDATION:
        faults.append(not_supported("fieldValidation", validation, _FIELD_VALIDATION))
    if faults:
        raise invalid_object("meta.k8s.io", kind, "", faults)


async def create(core: "ServerState", call: ApiRequest, raw: Any) -> StoredObject:
    """Create an object. With dryRun everything but storing is done."""
    _check_options(call, "CreateOptions")
    obj = decoding.decode(call, raw, core.definitions)
    meta = obj["metadata"]
    _place(call, meta)
    if meta.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = clock.now()
    plugins.before_create(core, call, obj)
    if not call.resource.custom:
        defaults.at_create(obj, call.resource)
    if core.options.managed_fields and not call.keeps_ownership:
        meta["managedFields"] = managedfields.after_create(obj, call.manager, call.resource, core.definitions.resolve)
    review = AdmissionRequest(call, "CREATE", obj, None, meta.get("name", ""))
    obj = await core.admission.mutate(review) or obj
    meta = obj["metadata"]
    managed = meta.get("managedFields") if call.keeps_ownership else None
    strategy.prepare_create(obj, call.resource)
    if managed:
        meta["managedFields"] = managed
    elif core.options.managed_fields:
        meta["managedFields"] = managedfields.after_create(obj, call.manager, call.resource, core.definitions.resolve)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = objectmeta.generate_name(meta["generateName"])
        if call.gr == ("", "namespaces"):
            strategy.prepare_create(obj, call.resource)
    call.name = meta.get("name", "")
    _refuse(call, obj, strategy.validate(obj, None, call.resource, "", core.definitions.resolve))
    plugins.quota(core, call, call.name)
    review.obj, review.name = obj, call.name
    await core.admission.validate(review)
    if core.store.get(call.gr, call.namespace, call.name) is not None:
        raise already_exists(*call.gr, call.name)
    if call.resource.namespaced:
        plugins.namespace_open(core, call, obj)
    obj["apiVersion"] = call.resource.api_version
    if call.dry_run:
        return StoredObject.unstored((meta.get("namespace", ""), meta["name"]), 0, obj)
    core.makers[meta["uid"]] = call.manager
    return core.store.create(call.gr, fitting(obj))


def _place(call: ApiRequest, meta: Body) -> None:
    if not call.resource.namespaced:
        if meta.get("namespace") == "":
            del meta["namespace"]
        return
    if meta.get("namespace", call.namespace) not in (call.namespace, ""):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    meta["namespace"] = call.namespace


def _refuse(call: ApiRequest, obj: Body, faults: list[Any]) -> None:
    if faults:
        raise invalid_object(call.resource.group, call.resource.kind, obj["metadata"].get("name", ""), faults)


async def replace(core: "ServerState", call: ApiRequest, raw: Any) -> StoredObject:
    """PUT: replace the object if the resourceVersion of the body (if any) is the stored one."""
    stored = core.store.get(call.gr, call.namespace, call.name)
    obj = decoding.decode(call, raw, core.definitions, stored.obj if stored is not None else None)
    meta = obj["metadata"]
    _place(call, meta)
    if meta.get("name", "") != call.name:
        raise bad_request(
            f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({call.name})"
        )
    must = call.resource.custom or call.resource.plural in _MUST_VERSION
    if must and not meta.get("resourceVersion"):
        if core.store.get(call.gr, call.namespace, call.name) is None:
            raise not_found(*call.gr, call.name)
        fault = invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise invalid_object(call.resource.group, call.resource.kind, call.name, [fault])
    return await update(core, call, lambda entry: _fresh(obj))


def _fresh(obj: Body) -> Body:
    return {**obj, "metadata": dict(obj["metadata"])}


async def update(core: "ServerState", call: ApiRequest, change: Change) -> StoredObject:
    """Change a stored object. A write without resourceVersion is retried after concurrent writes."""
    for _ in range(ATTEMPTS):
        entry = core.store.get(call.gr, call.namespace, call.name)
        if entry is None:
            raise not_found(*call.gr, call.name)
        obj = change(entry)
        unconditional = not obj["metadata"].get("resourceVersion")
        _check_versions(call, obj["metadata"], entry)
        done = await _update_once(core, call, obj, entry)
        if done is not None:
            return done
        if not unconditional and obj["metadata"].get("resourceVersion") != str(entry.rv):
            break
    raise conflict(*call.gr, call.name)


def _check_versions(call: ApiRequest, meta: Body, entry: StoredObject) -> None:
    if meta.get("resourceVersion") not in (None, "", "0", str(entry.rv)):
        raise conflict(*call.gr, call.name)
    if meta.get("uid") and meta["uid"] != entry.uid:
        raise conflict(
            *call.gr,
            call.name,
            f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {entry.uid}",
        )


async def _update_once(core: "ServerState", call: ApiRequest, obj: Body, entry: StoredObject) -> StoredObject | None:
    """The stored object, or None after a concurrent write."""
    meta = obj["metadata"]
    for key in ("uid", "creationTimestamp", "namespace", "name"):
        if key in entry.meta:
            meta.setdefault(key, entry.meta[key])
    old = entry.obj
    if old["apiVersion"] != call.resource.api_version:
        old = {**old, "apiVersion": call.resource.api_version}
    review = review_of(call, "UPDATE", obj, entry, call.name)
    obj = await core.admission.mutate(review) or obj
    managed = obj["metadata"].get("managedFields") if call.keeps_ownership else None
    obj = strategy.prepare_update(obj, old, call.resource, call.subresource)
    _keep_ownership(core, call, obj, old, managed)
    _refuse(call, obj, strategy.validate(obj, old, call.resource, call.subresource, core.definitions.resolve))
    review.obj = obj
    await core.admission.validate(review)
    if core.store.get(call.gr, call.namespace, call.name) is not entry:
        return None
    if call.dry_run:
        return StoredObject.unstored(entry.key, entry.rv, obj)
    return store(core, call, obj, entry)


def _keep_ownership(core: "ServerState", call: ApiRequest, obj: Body, old: Body, managed: list[Body] | None) -> None:
    """Set the managedFields of the object to be stored, if it has any."""
    if managed:
        obj["metadata"]["managedFields"] = managed
    elif old["metadata"].get("managedFields"):
        obj["metadata"]["managedFields"] = managedfields.after_update(
            obj, old, call.manager, call.resource, core.definitions.resolve, call.subresource
        )
    elif not call.subresource and core.makers.get(old["metadata"]["uid"]) != call.manager:
        core.makers[old["metadata"]["uid"]] = ""


def store(core: "ServerState", call: ApiRequest, obj: Body, entry: StoredObject) -> StoredObject:
    """Write the changed object, or remove it if its last finalizer was removed during deletion."""
    meta = obj["metadata"]
    if not meta.get("finalizers"):
        meta.pop("finalizers", None)
    if meta.get("deletionTimestamp") and not meta.get("finalizers") and not meta.get("deletionGracePeriodSeconds"):
        spec = obj.get("spec") or {}
        if call.gr == ("", "namespaces") and spec.get("finalizers"):
            return core.store.update(call.gr, obj, entry)
        return core.store.delete(call.gr, entry, obj)
    return core.store.update(call.gr, fitting(obj), entry)


def fitting(obj: Body) -> Body:
    """Check that the object is at most 1.5 MiB, the limit of etcd."""
    if len(orjson.dumps(obj)) > MAX_STORED:
        raise StatusError(500, "", "etcdserver: request is too large")
    return obj
