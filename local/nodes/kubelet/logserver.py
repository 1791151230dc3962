"""The part of the kubelet's HTTP server that `kubectl logs` needs."""

import asyncio
import ssl
import tempfile
from pathlib import Path

from aiohttp import web

from local.nodes.kubelet.host import NODE_IP, KubeletContext
from local.nodes.kubelet.kubelet import Kubelet
from local.pki import CertificateAuthority

_FOLLOW_EVERY = 0.2


class LogServer:
    """Serves `/containerLogs/NAMESPACE/POD/CONTAINER` over TLS with a self-signed certificate."""

    def __init__(self, host: KubeletContext, kubelet: Kubelet) -> None:
        self._host = host
        self._kubelet = kubelet
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, NODE_IP, 0, ssl_context=_context(), shutdown_timeout=1)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        uid = self._kubelet.log_owner(request.match_info["namespace"], request.match_info["pod"])
        previous = request.query.get("previous") == "true"
        path = self._host.log(uid, request.match_info["container"], previous)
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        sent = await _send_tail(answer, path, request.query.get("tailLines"))
        while request.query.get("follow") == "true" and self._kubelet.runs(uid):
            await asyncio.sleep(_FOLLOW_EVERY)
            sent += await _send(answer, _read(path)[sent:])
        return answer


async def _send_tail(answer: web.StreamResponse, path: Path, lines: str | None) -> int:
    content = _read(path)
    shown = (
        content if lines is None else b"".join(content.splitlines(keepends=True)[-int(lines) :] if int(lines) else [])
    )
    await _send(answer, shown)
    return len(content)


async def _send(answer: web.StreamResponse, content: bytes) -> int:
    if content:
        await answer.write(content)
    return len(content)


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        made.load_cert_chain(*CertificateAuthority().serving().write(Path(folder), "kubelet"))
    return made
