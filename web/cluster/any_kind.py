"""Kinds that this project does not know, as the API server serves them."""

import re
from typing import Final

from shared.kinds import Kind
from shared.kube.client.errors import NotFound
from shared.kube.client.reader import ApiReader

_API_VERSION: Final = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[a-z0-9]+")


async def kind_named(api: ApiReader, api_version: str, kind: str) -> Kind | None:
    """None for a kind that the API server does not serve. Raises ApiError."""
    if not _API_VERSION.fullmatch(api_version) or ".." in api_version:
        return None
    try:
        found = await api.get_path(f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}")
    except NotFound:
        return None
    for each in found.get("resources") or ():
        if each.get("kind") == kind and "/" not in str(each.get("name")):
            return Kind(api_version, kind, str(each["name"]), namespaced=bool(each.get("namespaced")))
    return None
