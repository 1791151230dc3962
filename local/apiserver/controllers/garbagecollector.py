"""Garbage collection by owner references, after kube-controller-manager's garbagecollector: background, foreground,
orphan, and owners that do not exist or have another uid."""

from typing import TYPE_CHECKING

from local.apiserver.call import GARBAGE_COLLECTOR, ApiRequest
from local.apiserver.errors import StatusError
from local.apiserver.storage.store import GroupResource, Key, StoredObject, StoreEvent, owners
from local.apiserver.verbs import deletion
from local.apiserver.verbs.deletion import FOREGROUND, ORPHAN
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

Item = tuple[GroupResource, Key]
SOLID, DANGLING, WAITING, UNKNOWN = "solid", "dangling", "waiting", "unknown"


def affected(core: "ServerState", gr: GroupResource, event: StoreEvent) -> set[Item]:
    """The objects to process after an event: itself, its dependents, and owners that wait for it."""
    entry = event.entry
    found: set[Item] = set()
    if event.kind == "DELETED":
        found |= core.store.dependents.get(entry.uid, set())
    elif owners(entry.obj) or (entry.meta.get("deletionTimestamp") and entry.meta.get("finalizers")):
        found.add((gr, entry.key))
    changed = [entry.obj] if event.previous is None else [entry.obj, event.previous.obj]
    for obj in changed:
        for owner in owners(obj):
            item = core.store.uids.get(owner.get("uid", ""))
            if item is not None and _has(core, item, FOREGROUND):
                found.add(item)
    return found


def _has(core: "ServerState", item: Item, finalizer: str) -> bool:
    entry = core.store.get(item[0], *item[1])
    return (
        entry is not None
        and bool(entry.meta.get("deletionTimestamp"))
        and finalizer in (entry.meta.get("finalizers") or ())
    )


async def process(core: "ServerState", item: Item) -> None:
    """Process one object once."""
    entry = core.store.get(item[0], *item[1])
    if entry is None:
        return
    if entry.meta.get("deletionTimestamp"):
        finalizers = entry.meta.get("finalizers") or ()
        if ORPHAN in finalizers:
            _orphan(core, item, entry)
        elif FOREGROUND in finalizers:
            await _foreground(core, item, entry)
        return
    found = owners(entry.obj)
    if not found:
        return
    standing = [(owner, _standing(core, owner, entry.key[0])) for owner in found]
    kinds = {kind for _, kind in standing}
    if UNKNOWN in kinds:
        return
    if SOLID in kinds:
        gone = [owner["uid"] for owner, kind in standing if kind != SOLID]
        if gone:
            _drop_owners(core, item, entry, gone)
        return
    waits = WAITING in kinds and bool(core.store.dependents.get(entry.uid))
    await _delete(core, item, entry, "Foreground" if waits else _policy(entry))


def _policy(entry: StoredObject) -> str:
    finalizers = entry.meta.get("finalizers") or ()
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"


def _standing(core: "ServerState", owner: Body, namespace: str) -> str:
    """Whether the owner exists, is gone, or is waiting for its dependents to be deleted."""
    resource = core.registry.of_kind(owner.get("apiVersion", ""), owner.get("kind", ""))
    if resource is None:
        return UNKNOWN
    entry = core.store.get(resource.gr, namespace if resource.namespaced else "", owner.get("name", ""))
    if entry is None or entry.uid != owner.get("uid"):
        return DANGLING
    waits = entry.meta.get("deletionTimestamp") and FOREGROUND in (entry.meta.get("finalizers") or ())
    return WAITING if waits else SOLID


async def _delete(core: "ServerState", item: Item, entry: StoredObject, policy: str) -> None:
    resource = core.registry.main(item[0])
    if resource is None:
        return
    options = {"propagationPolicy": policy, "preconditions": {"uid": entry.uid}}
    call = ApiRequest(GARBAGE_COLLECTOR, "delete", resource, *item[1], internal=True, options=options)
    try:
        await deletion.delete(core, call)
        core.audit.note(call, 200)
    except StatusError as error:
        if error.code not in (404, 409):
            raise


async def _foreground(core: "ServerState", item: Item, entry: StoredObject) -> None:
    dependents = core.store.dependents.get(entry.uid, set())
    blocking = [found for found in dependents if _blocks(core, found, entry.uid)]
    if not blocking:
        _drop_finalizer(core, item, entry, FOREGROUND)
        return
    for found in list(dependents):
        await process(core, found)


def _blocks(core: "ServerState", item: Item, uid: str) -> bool:
    entry = core.store.get(item[0], *item[1])
    return entry is not None and any(o.get("uid") == uid and o.get("blockOwnerDeletion") for o in owners(entry.obj))


def _orphan(core: "ServerState", item: Item, entry: StoredObject) -> None:
    for found in list(core.store.dependents.get(entry.uid, ())):
        dependent = core.store.get(found[0], *found[1])
        if dependent is not None:
            _drop_owners(core, found, dependent, [entry.uid])
    latest = core.store.get(item[0], *item[1])
    if latest is not None:
        _drop_finalizer(core, item, latest, ORPHAN)


def _drop_owners(core: "ServerState", item: Item, entry: StoredObject, uids: list[str]) -> None:
    obj = entry.copy()
    kept = [owner for owner in owners(obj) if owner.get("uid") not in uids]
    obj["metadata"].pop("ownerReferences", None)
    if kept:
        obj["metadata"]["ownerReferences"] = kept
    core.store.update(item[0], obj, entry)


def _drop_finalizer(core: "ServerState", item: Item, entry: StoredObject, finalizer: str) -> None:
    obj = entry.copy()
    kept = [name for name in obj["metadata"].get("finalizers") or () if name != finalizer]
    if kept:
        obj["metadata"]["finalizers"] = kept
        core.store.update(item[0], obj, entry)
        return
    obj["metadata"].pop("finalizers", None)
    if obj["metadata"].get("deletionGracePeriodSeconds"):
        core.store.update(item[0], obj, entry)
    else:
        core.store.delete(item[0], entry, obj)
