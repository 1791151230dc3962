"""`python -m local.nodes --kubeconfig FILE`: simulate nodes until SIGTERM."""

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.client.rest import RestClient
from local.nodes.kubelet.host import KubeletContext
from local.nodes.kubelet.kubelet import Kubelet
from local.nodes.kubelet.logserver import LogServer
from local.nodes.mirror import Mirror
from local.nodes.registry import NodeRegistry
from local.nodes.scheduler.scheduler import Scheduler
from local.nodes.settings import NodeSettings, parse


async def serve(settings: NodeSettings, scratch: Path, stop: asyncio.Event) -> None:
    """Simulate the nodes until `stop` is set."""
    async with RestClient(settings.kubeconfig) as client:
        host = KubeletContext(client, settings, scratch)
        names = {f"{settings.prefix}-{index}" for index in range(settings.nodes)}
        kubelet = Kubelet(host, names.__contains__)
        logs = LogServer(host, kubelet)
        await logs.start()
        registry = NodeRegistry(client, settings, logs.port)
        await registry.register()
        running = _start(client, settings, kubelet, names)
        running.append(asyncio.create_task(registry.keep_alive()))
        print(f"nodes ready: {', '.join(registry.names)}", flush=True)
        try:
            await _until(stop, running)
        finally:
            await _cancel(running)
            await kubelet.close()
            await logs.stop()
            if not settings.keep_nodes:
                await registry.remove()


def _start(client: RestClient, settings: NodeSettings, kubelet: Kubelet, names: set[str]) -> list[asyncio.Task[None]]:
    nodes = Mirror(client, "/api/v1/nodes", lambda _kind, _node: touch())
    ours: dict[tuple[str, str], Any] = {}

    def touch() -> None:
        ours.clear()
        ours.update({key: item for key, item in nodes.items.items() if key[1] in names})
        scheduler.touch()

    def pod_changed(kind: str, pod: Any) -> None:
        kubelet.handle(kind, pod)
        scheduler.touch()

    pods = Mirror(client, "/api/v1/pods", pod_changed)
    claims = Mirror(client, "/api/v1/persistentvolumeclaims", lambda _kind, _claim: scheduler.touch())
    scheduler = Scheduler(client, pods.items, ours, claims.items, settings.scheduler_names)
    jobs = [nodes.run(), pods.run()] + ([claims.run(), scheduler.run()] if settings.scheduler else [])
    return [asyncio.create_task(each) for each in jobs]


async def _until(stop: asyncio.Event, running: list[asyncio.Task[None]]) -> None:
    """Wait for `stop`, or raise the error of a loop that failed."""
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({stopping, *running}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for task in done - {stopping}:
        task.result()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    settings = parse()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="jobflow-nodes-", ignore_cleanup_errors=True) as scratch:
        await serve(settings, Path(scratch), stop)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
