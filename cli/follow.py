"""Follows a flow and its pods by list and watch, with at most a few updates per second."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, Final

from cli.client import Session
from cli.exits import CliError, Exit
from drawing.nested import runs_flows
from shared.kinds import JOBFLOW, POD
from shared.kube.cache.cache import Caches
from shared.model.types import Body
from shared.names import JOB_NAME

_PAUSE: Final = 0.5  # minimum seconds between two updates
_IDLE: Final = 1.0  # maximum seconds between two updates, so that displayed durations advance


async def changes(session: Session, name: str) -> AsyncGenerator[tuple[Body, list[Body], list[Body]], None]:
    """(the flow, pods of Jobs and JobFlows in its namespace) immediately, at every change, and once a second, until the flow is
    deleted.
    """
    first = await session.api.get(JOBFLOW, session.namespace, name)
    caches = Caches(session.api, namespaces=(session.namespace,))
    nested = runs_flows(first)
    flows = caches.want(JOBFLOW, field_selector="" if nested else f"metadata.name={name}")
    pods = caches.want(POD, label_selector=JOB_NAME, transform=_small)
    changed = asyncio.Event()
    for cache in (flows, pods):
        cache.on_change(lambda old, new: changed.set())
    running = asyncio.create_task(caches.run())
    try:
        yield first, [], []
        await _synced(flows, running)
        while (body := flows.get(session.namespace, name)) is not None:
            below = list(flows.list(session.namespace)) if nested else []
            yield body, list(pods.list(session.namespace)), below
            changed.clear()
            await asyncio.sleep(_PAUSE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _IDLE - _PAUSE)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _synced(cache: Any, running: "asyncio.Task[None]") -> None:
    """Wait for the first list of flows. It does not wait for pods, which the user may not be allowed to list."""
    waiting = asyncio.create_task(cache.synced())
    await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        waiting.cancel()
        raise CliError(f"the watch ended: {running.exception()}", Exit.UNREACHABLE)


def _small(body: Body) -> Body:
    """The fields of a pod that its Task status depends on, to save memory."""
    metadata, status = body["metadata"], body.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "labels", "deletionTimestamp")
    return {
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"nodeName": (body.get("spec") or {}).get("nodeName")},
        "status": {key: status[key] for key in ("phase", "conditions", "nominatedNodeName") if key in status},
    }
