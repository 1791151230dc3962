"""The namespace controller: the objects of a new namespace, and the deletion of all objects in a deleted one."""

import uuid
from typing import TYPE_CHECKING

from local.apiserver import clock
from local.apiserver.call import NAMESPACE_CONTROLLER, ApiRequest
from local.apiserver.errors import StatusError
from local.apiserver.verbs import deletion
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

NAMESPACES = ("", "namespaces")
INITIAL = ("default", "kube-system", "kube-public", "kube-node-lease")


def plain(api_version: str, kind: str, namespace: str, name: str, **fields: Body) -> Body:
    """Store an object that the server itself creates."""
    meta: Body = {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": clock.now()}
    if namespace:
        meta["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **fields}


def create(core: "ServerState", name: str) -> None:
    """Store a namespace unless it exists."""
    if core.store.get(NAMESPACES, "", name) is not None:
        return
    obj = plain("v1", "Namespace", "", name, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"})
    obj["metadata"]["labels"] = {"kubernetes.io/metadata.name": name}
    core.store.create(NAMESPACES, obj)


def furnish(core: "ServerState", name: str, ca: str) -> None:
    """Create the `default` service account and the ConfigMap of the cluster's CA."""
    if core.store.get(("", "serviceaccounts"), name, "default") is None:
        core.store.create(("", "serviceaccounts"), plain("v1", "ServiceAccount", name, "default"))
    if ca and core.store.get(("", "configmaps"), name, "kube-root-ca.crt") is None:
        core.store.create(("", "configmaps"), plain("v1", "ConfigMap", name, "kube-root-ca.crt", data={"ca.crt": ca}))


async def empty(core: "ServerState", name: str) -> None:
    """Delete the objects in a namespace that is being deleted, and then its finalizer."""
    entry = core.store.get(NAMESPACES, "", name)
    if entry is None or not entry.meta.get("deletionTimestamp"):
        return
    left = 0
    for resource in core.registry.namespaced():
        for found in list(core.store.bucket(resource.gr).by_namespace.get(name, {}).values()):
            left += 1
            if found.meta.get("deletionTimestamp"):
                continue
            call = ApiRequest(NAMESPACE_CONTROLLER, "delete", resource, *found.key, internal=True)
            call.options = {"propagationPolicy": "Background"}
            try:
                _, gone = await deletion.delete(core, call)
                left -= gone
            except StatusError as error:
                if error.code not in (404, 409):
                    raise
    latest = core.store.get(NAMESPACES, "", name)
    if left or latest is None:
        return
    obj = latest.copy()
    (obj.get("spec") or {}).pop("finalizers", None)
    if obj["metadata"].get("finalizers"):
        core.store.update(NAMESPACES, obj, latest)
    else:
        core.store.delete(NAMESPACES, latest, obj)
