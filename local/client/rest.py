"""A small Kubernetes client, independent of the product's client, so that tests do not depend on what they test."""

import asyncio
import base64
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
import yaml

from shared.model.types import Body

MERGE = "application/merge-patch+json"
_CONNECTIONS = 64


class RestError(Exception):
    """The API server refused a request. `code`: the HTTP status."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.message = message
        self.reason = reason


class RestClient:
    """A client of raw JSON. Raises RestError for refused requests, aiohttp.ClientError for a broken connection."""

    def __init__(self, kubeconfig: Path, connections: int = _CONNECTIONS) -> None:
        self._server, self._headers, self._ssl = read_kubeconfig(kubeconfig)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=self._connections, ssl=self._ssl)
        self._session = aiohttp.ClientSession(self._server, headers=self._headers, connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """The decoded answer; text that is not JSON (logs) as str."""
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": content_type} if data is not None else {}
        timeout = aiohttp.ClientTimeout(total=60)
        async with self._open.request(
            method, path, data=data, params=params, headers=headers, timeout=timeout
        ) as answer:
            raw = await answer.read()
            content = orjson.loads(raw) if answer.content_type == "application/json" else raw.decode(errors="replace")
            if answer.status >= 400:
                raise _error(answer.status, content)
            return content

    async def get(self, path: str, **params: str) -> Any:
        return await self.request("GET", path, params=params)

    async def create(self, path: str, body: Body) -> Any:
        return await self.request("POST", path, body)

    async def patch(self, path: str, body: Any, content_type: str = MERGE) -> Any:
        return await self.request("PATCH", path, body, content_type=content_type)

    async def delete(self, path: str, body: Body | None = None) -> Any:
        return await self.request("DELETE", path, body)

    async def watch(self, path: str, version: str, seconds: int = 240) -> AsyncIterator[Body]:
        """Events after `version` until the server or the network ends the stream."""
        params = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_read=seconds + 30)
        async with self._open.get(path, params=params, timeout=timeout) as answer:
            if answer.status >= 400:
                raise _error(answer.status, await answer.json())
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        yield orjson.loads(line)

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use `async with Client(...)`")
        return self._session


async def patiently(call: Any, *arguments: Any, tries: int = 30) -> Any:
    """`call(*arguments)`, retried with back-off for about a minute while the server is unavailable."""
    for attempt in range(tries):
        try:
            return await call(*arguments)
        except RestError as error:
            if error.code not in (429, 500, 502, 503, 504) or attempt == tries - 1:
                raise
        except (aiohttp.ClientError, TimeoutError, OSError):
            if attempt == tries - 1:
                raise
        await asyncio.sleep(min(0.05 * 2**attempt, 2.0))
    raise AssertionError("unreachable")


def _error(code: int, content: Any) -> RestError:
    if isinstance(content, dict):
        return RestError(code, str(content.get("message", "")), str(content.get("reason", "")))
    return RestError(code, str(content))


def read_kubeconfig(kubeconfig: Path) -> tuple[str, dict[str, str], ssl.SSLContext | bool]:
    """Server, headers and TLS of the current context (`True`: plain HTTP)."""
    config = yaml.safe_load(kubeconfig.read_text())
    context = _named(config["contexts"], config["current-context"])["context"]
    cluster = _named(config["clusters"], context["cluster"])["cluster"]
    user = _named(config["users"], context["user"]).get("user") or {}
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    if not cluster["server"].startswith("https"):
        return cluster["server"], headers, True
    return cluster["server"], headers, _tls(cluster, user, kubeconfig.parent)


def _named(entries: list[Body], name: str) -> Body:
    return next(entry for entry in entries if entry["name"] == name)


def _tls(cluster: Body, user: Body, folder: Path) -> ssl.SSLContext:
    made = ssl.create_default_context()
    if cluster.get("insecure-skip-tls-verify"):
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    authority = _content(cluster, "certificate-authority", folder)
    if authority is not None:
        made.load_verify_locations(cadata=authority.decode())
    certificate, key = _content(user, "client-certificate", folder), _content(user, "client-key", folder)
    if certificate is not None and key is not None:
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(certificate + b"\n" + key)
            pair.flush()
            made.load_cert_chain(pair.name)
    return made


def _content(holder: Body, key: str, folder: Path) -> bytes | None:
    if f"{key}-data" in holder:
        return base64.b64decode(holder[f"{key}-data"])
    return (folder / holder[key]).read_bytes() if key in holder else None
