"""Readiness probes of local processes, as a kubelet makes them."""

import asyncio
import contextlib

import aiohttp

from shared.model.types import Body

_PERIOD, _TIMEOUT = 10.0, 1.0


async def until_ready(probe: Body, container: Body, pod_ip: str) -> None:
    """Return when the probe has succeeded `successThreshold` times in a row. Cancel it when the container ends."""
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    wanted, in_row = probe.get("successThreshold", 1), 0
    while True:
        in_row = in_row + 1 if await succeeds(probe, container, pod_ip) else 0
        if in_row >= wanted:
            return
        await asyncio.sleep(probe.get("periodSeconds", _PERIOD))


async def succeeds(probe: Body, container: Body, pod_ip: str) -> bool:
    """One attempt. Probes other than httpGet and tcpSocket always succeed."""
    seconds = probe.get("timeoutSeconds", _TIMEOUT)
    with contextlib.suppress(OSError, TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(seconds):
            if "httpGet" in probe:
                return await _http(probe["httpGet"], container, pod_ip)
            if "tcpSocket" in probe:
                return await _tcp(probe["tcpSocket"], container, pod_ip)
            return True
    return False


async def _http(action: Body, container: Body, pod_ip: str) -> bool:
    scheme = action.get("scheme", "HTTP").lower()
    url = f"{scheme}://{action.get('host') or pod_ip}:{_port(action['port'], container)}{action.get('path') or '/'}"
    headers = {each["name"]: each["value"] for each in action.get("httpHeaders") or []}
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers, ssl=False, allow_redirects=False) as answer,
    ):
        return 200 <= answer.status < 400


async def _tcp(action: Body, container: Body, pod_ip: str) -> bool:
    _, writer = await asyncio.open_connection(action.get("host") or pod_ip, _port(action["port"], container))
    writer.close()
    return True


def _port(port: int | str, container: Body) -> int:
    if isinstance(port, int):
        return port
    return next(int(each["containerPort"]) for each in container.get("ports") or [] if each.get("name") == port)
