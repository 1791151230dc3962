"""Discovery: which API groups the API server serves, and which resources of one group by version."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Final

from shared.kube.client.errors import ApiError, NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
RETRY_SECONDS: Final = 2.0


async def served(
    api: ApiReader, stop: asyncio.Event, group: str, versions: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """All API groups, and the plural resource names of `group` by version (empty if the group is not served).

    Retries until the API server answers; returns nothing when `stop` is set first.
    """
    while not stop.is_set():
        try:
            groups = await _groups(api)
            return groups, await resources(api, group, versions) if group in groups else {}
        except ApiError as fault:
            LOG.warning("API discovery failed, will retry", extra={"error": str(fault)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
    return (), {}


async def resources(api: ApiReader, group: str, versions: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The plural names of the resources of `group` by version; a version that is not served has none."""
    found = {}
    for version in versions:
        body = await _get(api, f"/apis/{group}/{version}")
        found[version] = tuple(str(each.get("name")) for each in body.get("resources") or ())
    return found


async def _groups(api: ApiReader) -> tuple[str, ...]:
    return tuple(str(each.get("name")) for each in (await _get(api, "/apis")).get("groups") or ())


async def _get(api: ApiReader, path: str) -> Body:
    try:
        body = await api.get_path(path)
    except NotFound:
        return {}
    return body if isinstance(body, dict) else {}
