"""The pods below an object of any kind: it may own objects that own the pods, as a RayJob owns a RayCluster.

Reads only; what may not be read ends the search there.
"""

import re
from typing import Any, Final

from shared.kinds import POD, Kind
from shared.kube.client.errors import Forbidden, NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body

_LEVELS: Final = 6
_MOST_READS: Final = 200
_API_VERSION: Final = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[a-z0-9]+")


async def kind_served(api: ApiReader, api_version: str, kind: str) -> Kind | None:
    """The kind with its plural, as the API server says it; None if it is not served. Raises ApiError."""
    if not _API_VERSION.fullmatch(api_version) or ".." in api_version:  # it becomes part of a path
        return None
    try:
        found = await api.get_path(f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}")
    except NotFound:
        return None
    for each in found.get("resources") or () if isinstance(found, dict) else ():
        if each.get("kind") == kind and "/" not in str(each.get("name")):
            return Kind(api_version, kind, str(each["name"]), bool(each.get("namespaced")))
    return None


async def read_object(api: ApiReader, manifest: Body, namespace: str, name: str) -> Body | None:
    """The object of the kind that the manifest says; None if it, or its kind, does not exist. Raises ApiError."""
    kind = await kind_served(api, str(manifest.get("apiVersion")), str(manifest.get("kind")))
    try:
        return await api.get(kind, namespace, name) if kind is not None else None
    except NotFound:
        return None


async def pods_below(api: ApiReader, body: Body) -> list[Body]:
    """The pods of the namespace whose owners lead to the object, sorted by name.

    Pods that are named after it come first, so that the limit of reads leaves out others.
    """
    metadata = body["metadata"]
    pods = [pod async for pod in api.list(POD, metadata["namespace"])]
    pods.sort(key=lambda pod: (not pod["metadata"]["name"].startswith(metadata["name"]), pod["metadata"]["name"]))
    search = _Owners(api, metadata["namespace"], metadata["uid"])
    found = [pod for pod in pods if await search.lead_to_it(_owner(pod))]
    return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))


class _Owners:
    """Follows owners upwards. Each is read once, and at most _MOST_READS of them."""

    def __init__(self, api: ApiReader, namespace: str, uid: str) -> None:
        self._api = api
        self._namespace = namespace
        self._uid = uid
        self._above: dict[str, Body] = {}
        self._kinds: dict[tuple[str, str], Kind | None] = {}

    async def lead_to_it(self, owner: Body) -> bool:
        for _ in range(_LEVELS):
            if owner.get("uid") == self._uid:
                return True
            owner = await self._owner_of(owner)
        return False

    async def _owner_of(self, reference: Body) -> Body:
        uid = str(reference.get("uid") or "")
        if uid and uid not in self._above and len(self._above) < _MOST_READS:
            self._above[uid] = _owner(await self._read(reference))
        return self._above.get(uid, {})

    async def _read(self, reference: Body) -> Body:
        named = (str(reference.get("apiVersion")), str(reference.get("kind")))
        try:
            if named not in self._kinds:
                self._kinds[named] = await kind_served(self._api, *named)
            kind = self._kinds[named]
            return await self._api.get(kind, self._namespace, str(reference.get("name"))) if kind is not None else {}
        except (NotFound, Forbidden):
            return {}


def _owner(body: Body) -> Body:
    """The reference to the controller, else to the first owner; empty if there is none."""
    references: list[Any] = (body.get("metadata") or {}).get("ownerReferences") or []
    return next((one for one in references if one.get("controller")), references[0] if references else {})
