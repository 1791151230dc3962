"""Server-side apply: merge the applied fields, report conflicts, and remove fields that are no longer applied."""

from typing import TYPE_CHECKING, Any

import orjson
import yaml

from local.apiserver import clock
from local.apiserver.apply import managedfields
from local.apiserver.apply.fieldsets import Path, flatten, merge, remove
from local.apiserver.apply.managedfields import APPLY, BEFORE, CLIENT_SIDE, UPDATE, ManagedFieldsEntry
from local.apiserver.call import ApiRequest, truthy
from local.apiserver.errors import StatusError, bad_request, invalid_object, required
from local.apiserver.schema import decoding
from local.apiserver.schema.structural import prune, same
from local.apiserver.storage.store import StoredObject
from local.apiserver.verbs import writes
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


async def apply(core: "ServerState", call: ApiRequest, body: bytes) -> tuple[StoredObject, bool]:
    """The stored object, and whether it was created. 409 where another manager owns a field that would change."""
    applied = _configuration(core, call, body)
    call.keeps_ownership = True
    if core.store.get(call.gr, call.namespace, call.name) is None:
        if applied["metadata"].get("uid"):
            raise StatusError(
                409, "Conflict", f"uid mismatch: the provided object specified uid {applied['metadata']['uid']}"
            )
        return await _create(core, call, applied), True

    def change(entry: StoredObject) -> Body:
        return _applied(core, call, applied, entry)

    return await writes.update(core, call, change), False


def _configuration(core: "ServerState", call: ApiRequest, body: bytes) -> Body:
    try:
        applied: Any = yaml.safe_load(body) if body[:1] != b"{" else orjson.loads(body)
    except (yaml.YAMLError, ValueError) as error:
        raise bad_request(f"error decoding YAML: {error}") from None
    if not isinstance(applied, dict):
        raise bad_request("error decoding YAML: the configuration is not an object")
    if not call.query.get("fieldManager"):
        raise invalid_object(
            "meta.k8s.io", "PatchOptions", "", [required("fieldManager", "is required for apply patch")]
        )
    found = decoding.expect_kind(applied, call.resource)
    meta = found.setdefault("metadata", {})
    if meta.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    if meta.setdefault("name", call.name) != call.name:
        raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({call.name})")
    if call.resource.namespaced:
        meta.setdefault("namespace", call.namespace)
    for key in ("creationTimestamp", "generation"):
        meta.pop(key, None)
    _declared(core, call, found)
    return found


def _declared(core: "ServerState", call: ApiRequest, applied: Body) -> None:
    """Refuse fields that the schema does not declare, as the typed conversion does."""
    schema = call.resource.schema
    if schema is None or call.resource.keeps_unknown:
        return
    unknown: list[str] = []
    resolve = same if call.resource.custom else core.definitions.resolve
    prune(orjson.loads(orjson.dumps(applied)), schema, resolve, "", unknown, embedded=call.resource.custom)
    if unknown:
        about = f"{call.namespace}/{call.name}; {call.resource.api_version}, Kind={call.resource.kind}"
        faults = "\n".join(f".{path}: field not declared in schema" for path in unknown)
        raise StatusError(500, "", f"failed to create typed patch object ({about}): {faults}")


def _mine(call: ApiRequest) -> ManagedFieldsEntry:
    return ManagedFieldsEntry(
        call.query["fieldManager"], APPLY, call.subresource, call.resource.api_version, clock.now()
    )


async def _create(core: "ServerState", call: ApiRequest, applied: Body) -> StoredObject:
    mine = _mine(call)
    mine.fields = set(managedfields.owned(applied, call.resource, core.definitions.resolve))
    applied["metadata"].pop("resourceVersion", None)
    applied["metadata"]["managedFields"] = managedfields.write([mine])
    return await writes.create(core, call, applied)


def _owners(core: "ServerState", call: ApiRequest, entry: StoredObject) -> list[ManagedFieldsEntry]:
    """The managers of the fields. Before the first apply the creator owns all (kubectl apply: what it last applied)."""
    found = managedfields.read(entry.obj)
    if found:
        return found
    resolve = core.definitions.resolve
    maker = core.makers.get(entry.uid) or BEFORE
    stamp = entry.meta.get("creationTimestamp", "")
    owner = ManagedFieldsEntry(maker, UPDATE, "", call.resource.api_version, stamp)
    last = (entry.meta.get("annotations") or {}).get(LAST_APPLIED)
    if maker == CLIENT_SIDE and last:
        owner = ManagedFieldsEntry(call.query["fieldManager"], APPLY, "", call.resource.api_version, stamp)
        owner.fields = set(managedfields.owned(orjson.loads(last), call.resource, resolve))
    else:
        owner.fields = set(managedfields.owned(entry.obj, call.resource, resolve))
    return [owner]


def _applied(core: "ServerState", call: ApiRequest, applied: Body, entry: StoredObject) -> Body:
    """The object after the apply, with its new managedFields."""
    resolve, schema = core.definitions.resolve, call.resource.typed
    live = entry.copy()
    live["apiVersion"] = call.resource.api_version
    owners, mine = _owners(core, call, entry), _mine(call)
    given = applied if not call.subresource else {**applied, "spec": live.get("spec")}
    merged: Body = orjson.loads(orjson.dumps(merge(live, _without_status(call, given), schema, resolve)))
    before = managedfields.owned(live, call.resource, resolve, call.subresource)
    changed, _ = managedfields.changes(before, managedfields.owned(merged, call.resource, resolve, call.subresource))
    found = managedfields.conflicts(owners, mine, changed)
    if found and not truthy(call.query.get("force", "")):
        raise managedfields.conflict_error(found)
    last = next((owner for owner in owners if owner.mark == mine.mark), None)
    mine.fields = set(managedfields.owned(given, call.resource, resolve, call.subresource))
    others = [owner for owner in owners if owner is not last]
    for path in sorted((last.fields if last is not None else set()) - mine.fields, key=len):
        if not _held(path, [*others, mine]):
            remove(merged, path, schema, resolve)
    if last is not None and last.fields == mine.fields:
        mine.time = last.time
    managedfields.take(others, mine, changed, set())
    left = flatten(merged, schema, resolve)
    for owner in others:
        owner.fields = {path for path in owner.fields if path in left or owner.subresource or path[0] == "f:status"}
    decoding.normalise(merged, call.resource, core.definitions, entry.obj)
    wanted = applied["metadata"].get("resourceVersion")
    merged["metadata"]["resourceVersion"] = wanted or ""
    merged["metadata"]["managedFields"] = managedfields.write([*others, mine])
    return merged


def _without_status(call: ApiRequest, applied: Body) -> Body:
    if call.subresource or not call.resource.has_status:
        return applied
    return {key: value for key, value in applied.items() if key != "status"}


def _held(path: Path, owners: list[ManagedFieldsEntry]) -> bool:
    """Whether a manager owns the path or a path inside it; for a keyed item also its keys, which it requires."""
    roots = [path]
    if path[-1].startswith("k:"):
        roots = [(*path, f"f:{key}") for key in orjson.loads(path[-1][2:])]
    return any(
        found == path or found[: len(root)] == root for owner in owners for found in owner.fields for root in roots
    )
