"""The controller of CustomResourceDefinitions: serve the resources of stored CRDs, and clean up deleted ones."""

from typing import TYPE_CHECKING

from local.apiserver.call import NAMESPACE_CONTROLLER, ApiRequest
from local.apiserver.errors import StatusError
from local.apiserver.storage.store import GroupResource, StoreEvent
from local.apiserver.types.resources import PrinterColumn, Resource
from local.apiserver.verbs import deletion
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

CRDS: GroupResource = ("apiextensions.k8s.io", "customresourcedefinitions")
_AGE = PrinterColumn("Age", "date", ".metadata.creationTimestamp")


def resources(crd: Body) -> tuple[Resource, ...]:
    """One resource for every served version."""
    spec = crd["spec"]
    storage = next(version["name"] for version in spec["versions"] if version.get("storage"))
    return tuple(_resource(crd, spec, version, storage) for version in spec["versions"] if version.get("served"))


def _resource(crd: Body, spec: Body, version: Body, storage: str) -> Resource:
    names, inner = spec["names"], version.get("subresources") or {}
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    columns = tuple(
        PrinterColumn(
            c["name"], c["type"], c["jsonPath"], c.get("priority", 0), c.get("format", ""), c.get("description", "")
        )
        for c in version.get("additionalPrinterColumns") or ()
    )
    scale = dict(inner["scale"]) if inner.get("scale") is not None else {}
    scale["selectableFields"] = version.get("selectableFields") or []
    deprecation = ""
    if version.get("deprecated"):
        default = f"{spec['group']}/{version['name']} {names['kind']} is deprecated"
        deprecation = version.get("deprecationWarning") or default
    return Resource(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        singular=names.get("singular") or names["kind"].lower(),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=frozenset(name for name in ("status", "scale") if inner.get(name) is not None),
        list_kind=names.get("listKind") or names["kind"] + "List",
        schema=schema,
        custom=True,
        storage_version=storage,
        columns=columns or (_AGE,),
        scale=scale,
        keeps_unknown=bool(spec.get("preserveUnknownFields")),
        deprecation=deprecation,
        crd_name=crd["metadata"]["name"],
    )


def serve(core: "ServerState", event: StoreEvent) -> None:
    """After a write of a CRD, serve its current versions, or stop serving it."""
    crd = event.entry.obj
    gr = (crd["spec"]["group"], crd["spec"]["names"]["plural"])
    core.registry.remove(gr)
    if event.kind == "DELETED":
        core.close_watches(gr)
        core.store.drop(gr)
        return
    for resource in resources(crd):
        core.registry.add(resource)


async def clean_up(core: "ServerState", name: str) -> None:
    """Delete the objects of a CRD that is being deleted, and remove its finalizer when none is left."""
    entry = core.store.get(CRDS, "", name)
    if entry is None or deletion.CRD_CLEANUP not in (entry.meta.get("finalizers") or ()):
        return
    gr = (entry.obj["spec"]["group"], entry.obj["spec"]["names"]["plural"])
    resource = core.registry.main(gr)
    for found in list(core.store.bucket(gr).objects.values()):
        if resource is not None and not found.meta.get("deletionTimestamp"):
            call = ApiRequest(NAMESPACE_CONTROLLER, "delete", resource, *found.key, internal=True)
            try:
                await deletion.delete(core, call)
            except StatusError as error:
                if error.code != 404:
                    raise
    latest = core.store.get(CRDS, "", name)
    if latest is None or core.store.bucket(gr).objects:
        return
    obj = latest.copy()
    obj["metadata"]["finalizers"] = [f for f in obj["metadata"]["finalizers"] if f != deletion.CRD_CLEANUP]
    if obj["metadata"]["finalizers"]:
        core.store.update(CRDS, obj, latest)
    else:
        core.store.delete(CRDS, latest, obj)
