"""What the API server serves, as far as it decides who admits gangs."""

import asyncio
import contextlib
import logging
from typing import Any, Final

from controller.gang.backends.detect import NATIVE_GROUP, NATIVE_VERSIONS
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError, NotFound

LOG: Final = logging.getLogger(__name__)
AGAIN_SECONDS: Final = 2.0


async def served(api: Api, stop: asyncio.Event) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """API groups, and the resources of Kubernetes' own gang API by version, as soon as the API server answers."""
    while not stop.is_set():
        try:
            groups = await _groups(api)
            return groups, await native(api) if NATIVE_GROUP in groups else {}
        except ApiError as fault:
            LOG.warning("what the API server serves is not known yet", extra={"error": str(fault)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_SECONDS)
    return (), {}


async def native(api: Api) -> dict[str, tuple[str, ...]]:
    """Resources of Kubernetes' own gang API by version."""
    found = {}
    for version in NATIVE_VERSIONS:
        body = await _get(api, f"/apis/{NATIVE_GROUP}/{version}")
        found[version] = tuple(str(each.get("name")) for each in body.get("resources") or ())
    return found


async def _groups(api: Api) -> tuple[str, ...]:
    return tuple(str(each.get("name")) for each in (await _get(api, "/apis")).get("groups") or ())


async def _get(api: Api, path: str) -> dict[str, Any]:
    try:
        body = await api.raw("GET", path)
    except NotFound:
        return {}
    return body if isinstance(body, dict) else {}
