"""The server and its socket: TLS, kubeconfig, start, stop and restart."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from local.apiserver import bootstrap, persistence
from local.apiserver.controllers.manager import Controllers
from local.apiserver.core import ServerOptions, ServerState
from local.apiserver.http.bodies import MAX_BODY
from local.apiserver.http.handler import RequestHandler
from local.pki import CertificateAuthority

BOOKMARKS = 60.0  # seconds between the bookmarks of a watch
STATE = "state.json"


class ApiServer:
    """An API server in this event loop. `core` gives tests its store, audit, faults and tokens."""

    def __init__(
        self, folder: Path, port: int = 0, options: ServerOptions | None = None, bookmarks: float = BOOKMARKS
    ) -> None:
        self.folder = folder
        self.port = port
        self.options = options or ServerOptions()
        self.bookmarks = bookmarks
        self.core = ServerState(self.options)
        self.controllers = Controllers(self.core)
        self._runner: web.ServerRunner | None = None

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        folder: Path | str | None = None,
        port: int = 0,
        options: ServerOptions | None = None,
        bookmarks: float = BOOKMARKS,
    ) -> AsyncIterator["ApiServer"]:
        """A running server until the block ends. `folder` keeps its certificates, kubeconfig and state."""
        with tempfile.TemporaryDirectory(prefix="apiserver-") as spare:
            server = cls(Path(folder or spare), port, options, bookmarks)
            await server.up()
            try:
                yield server
            finally:
                await server.down()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def token(self) -> str:
        return self.core.auth.admin_token

    def ssl_context(self) -> ssl.SSLContext:
        """For clients: trusts this server's CA."""
        return ssl.create_default_context(cafile=str(self.ca))

    async def up(self) -> None:
        """Start listening, with the objects of the state file if the folder has one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        certificates = _certificates(self.folder)
        self.controllers.ca = self.ca.read_text()
        if (self.folder / STATE).exists():
            persistence.load(self.core, self.folder / STATE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificates)
        server = web.Server(RequestHandler(self.core, self.bookmarks), request_factory=_request, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=context, backlog=1024)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        self.core.url, self.core.ca = self.url, self.ca.read_bytes()
        bootstrap.fill(self.core)
        self.controllers.start()
        self.kubeconfig.write_text(self.core.kubeconfig(self.token))

    async def down(self, keep: bool = False) -> None:
        """Stop. With `keep`, write the state to the folder after the last request has been served, so that no answered
        write is lost and no resourceVersion is used twice."""
        self.core.close_watches()
        await self.controllers.stop()
        await self.core.admission.client.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if keep:
            persistence.save(self.core, self.folder / STATE)

    async def restart(self, pause: float = 0.0) -> None:
        """Stop and start again on the same port with the state kept, as after a crash of the real server."""
        await self.down(keep=True)
        await asyncio.sleep(pause)
        audit, faults = self.core.audit, self.core.faults
        self.core = ServerState(self.options)
        self.core.audit, self.core.faults = audit, faults
        self.controllers = Controllers(self.core)
        await self.up()


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]") -> web.BaseRequest:
    """aiohttp's request with a large body limit; the handler enforces the real one."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=2 * MAX_BODY)


def _certificates(folder: Path) -> tuple[Path, Path]:
    """The serving certificate and key in the folder, created if missing."""
    places = folder / "apiserver.crt", folder / "apiserver.key"
    if not all(place.exists() for place in (*places, folder / "ca.crt")):
        authority = CertificateAuthority()
        (folder / "ca.crt").write_bytes(authority.pem)
        authority.serving().write(folder, "apiserver")
        places[1].chmod(0o600)
    return places
