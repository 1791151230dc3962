"""Serves `/healthz`, `/readyz` and `/metrics` over plain HTTP."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import REGISTRY

Check = Callable[[], str]
"""A check: returns '' if it passes, else the reason in a few words. Must not block."""

GRACE_SECONDS: Final = 1.0


class Health:
    """Named checks, run on every request. `live`: restart the process on failure; `ready`: send it no requests."""

    def __init__(
        self,
        *,
        live: Mapping[str, Check] | None = None,
        ready: Mapping[str, Check] | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._live = dict(live or {})
        self._ready = dict(ready or {})
        self._registry = registry

    def app(self) -> web.Application:
        app = web.Application(client_max_size=4096)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/livez", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    @asynccontextmanager
    async def serve(self, host: str, port: int) -> AsyncIterator[int]:
        """Serves until the block ends and yields the port, a free one if `port` is 0. `host` '' means every address."""
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=GRACE_SECONDS)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host or None, port, reuse_address=True)
            await site.start()
            yield next(int(address[1]) for address in runner.addresses)
        finally:
            await runner.cleanup()

    @property
    def is_ready(self) -> bool:
        """Whether `/readyz` answers 200."""
        return not _faults(self._live | self._ready)

    async def _healthz(self, request: web.Request) -> web.Response:
        return _answer(self._live)

    async def _readyz(self, request: web.Request) -> web.Response:
        return _answer(self._live | self._ready)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _answer(checks: Mapping[str, Check]) -> web.Response:
    """The answer in kube-apiserver's form: one line per check, 200 `ok` or 503."""
    faults = _faults(checks)
    if not faults:
        return web.Response(text="ok")
    lines = [f"[-]{name} failed: {faults[name]}" if name in faults else f"[+]{name} ok" for name in checks]
    return web.Response(status=503, text="\n".join(lines) + "\n")


def _faults(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: fault for name, check in checks.items() if (fault := check())}
