"""The API client: objects in and out as decoded JSON, errors by meaning, retries only where they cannot do harm."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import orjson
from prometheus_client import Counter

from shared.kinds import Kind
from shared.kube import metrics
from shared.kube.client import requests
from shared.kube.client.backoff import full_jitter
from shared.kube.client.errors import ApiError, TooManyRequests, Unauthorized, Unavailable, Unreachable, error_of
from shared.kube.client.limits import Bucket
from shared.kube.client.lines import Lines
from shared.kube.client.requests import Request
from shared.kube.client.transport import Answer, Transport
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
PAGE: Final = 500
TIMEOUT_SECONDS: Final = 30.0
WATCH_SECONDS: Final = 300
IDLE_SECONDS: Final = 150.0  # kube-apiserver sends a bookmark about once a minute
ATTEMPTS: Final = 5
BACKOFF_BASE: Final = 0.1
BACKOFF_CAP: Final = 5.0


class Page(msgspec.Struct, frozen=True):
    """One page of a list. `resource_version`: the list's; every page of one list has the same."""

    items: tuple[Body, ...]
    resource_version: str
    continue_token: str


class WatchEvent(msgspec.Struct, frozen=True):
    """`type`: ADDED, MODIFIED, DELETED or BOOKMARK (whose object has only a resourceVersion)."""

    type: str
    object: Body


class Api:
    """One per process. Every method raises `shared.kube.client.errors.ApiError` or returns what the API server stored.

    `qps`: the client's own limit in requests a second, 0 for none; `timeout`: seconds for one try of one request;
    `before_write`: called right before every write is sent, each try; what it raises keeps the write from being sent.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        qps: float = 0.0,
        timeout: float = TIMEOUT_SECONDS,
        before_write: Callable[[], None] | None = None,
    ) -> None:
        self._transport = transport
        self.before_write = before_write
        self._bucket = Bucket(qps) if qps > 0 else None
        self._timeout = timeout

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        return await self._object(requests.get(kind, namespace, name), kind)

    async def create(
        self,
        kind: Kind,
        body: Body,
        *,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
        dry_run: bool = False,
    ) -> Body:
        request = requests.create(kind, body, namespace=namespace, name=name, subresource=subresource, dry_run=dry_run)
        return await self._object(request, kind)

    async def replace(self, kind: Kind, body: Body, *, subresource: str = "", dry_run: bool = False) -> Body:
        return await self._object(requests.replace(kind, body, subresource=subresource, dry_run=dry_run), kind)

    async def replace_status(self, kind: Kind, body: Body) -> Body:
        """PUT `body` to /status: only its status counts, and its resourceVersion must be the stored one."""
        return await self.replace(kind, body, subresource="status")

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        change: Body | list[Body],
        *,
        subresource: str = "",
        content_type: str = "",
        field_manager: str = "",
        force: bool = False,
        dry_run: bool = False,
    ) -> Body:
        """A list is a JSON patch, a dict a merge patch; `content_type`: requests.STRATEGIC_PATCH or APPLY_PATCH."""
        request = requests.patch(
            kind,
            namespace,
            name,
            change,
            subresource=subresource,
            content_type=content_type,
            field_manager=field_manager,
            force=force,
            dry_run=dry_run,
        )
        return await self._object(request, kind)

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: str = "Background",
        grace_seconds: int | None = None,
    ) -> Body:
        """The object, marked for deletion, while finalizers or a grace period hold it; else a Status of Success."""
        request = requests.delete(
            kind,
            namespace,
            name,
            uid=uid,
            resource_version=resource_version,
            propagation=propagation,
            grace_seconds=grace_seconds,
        )
        return await self._object(request, kind)

    async def delete_collection(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation: str = "Background",
    ) -> Body:
        request = requests.delete_collection(
            kind, namespace, label_selector=label_selector, field_selector=field_selector, propagation=propagation
        )
        return await self._object(request, kind)

    async def list(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = "", limit: int = PAGE
    ) -> AsyncGenerator[Body, None]:
        """Every object, page by page. An empty `namespace` means all."""
        pages = self.pages(kind, namespace, label_selector=label_selector, field_selector=field_selector, limit=limit)
        async with aclosing(pages):
            async for page in pages:
                for item in page.items:
                    yield item

    async def pages(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = "", limit: int = PAGE
    ) -> AsyncGenerator[Page, None]:
        """The pages of one consistent list. Raises Gone when it took so long that the server forgot the snapshot."""
        token = ""
        while True:
            request = requests.list_page(
                kind,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                limit=limit,
                continue_token=token,
            )
            page = _page(orjson.loads((await self._send(request, kind)).body), kind)
            yield page
            token = page.continue_token
            if not token:
                return

    async def watch(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int = WATCH_SECONDS,
        idle: float = IDLE_SECONDS,
    ) -> AsyncGenerator[WatchEvent, None]:
        """Changes after `resource_version` until the server ends the watch. Raises Gone when that version is too old,
        Timeout when neither event nor bookmark came for `idle` seconds (a half-open connection)."""
        request = requests.watch(
            kind,
            namespace,
            resource_version=resource_version,
            label_selector=label_selector,
            field_selector=field_selector,
            timeout_seconds=timeout_seconds,
        )
        async with self._transport.stream(request, idle) as (code, content, retry_after):
            _count(request, kind, code)
            if code != 200:
                raise error_of(code, await content.read(), retry_after)
            lines = Lines()
            async for chunk in content.iter_any():
                for line in lines.feed(chunk):
                    yield _event(orjson.loads(line))

    async def raw(
        self, method: str, target: str, *, query: Mapping[str, object] | None = None, body: object = None
    ) -> Any:
        """Any path of the API server; the decoded JSON, or the text when it is none (`/healthz`, `/version`)."""
        data = None if body is None else orjson.dumps(body)
        request = Request(method.lower(), method, requests.target(target, query), data)
        answer = await self._send(request, None)
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return answer.body.decode("utf-8", "replace")

    async def _object(self, request: Request, kind: Kind) -> Body:
        answer = await self._send(request, kind)
        body: Body = orjson.loads(answer.body)
        return body

    async def _send(self, request: Request, kind: Kind | None) -> Answer:
        """Try until an answer comes that a repetition would not better, or repeating could do harm."""
        attempt = 0
        while True:
            try:
                return await self._once(request, kind)
            except Unauthorized:
                if attempt:
                    raise
                await self._transport.renew()
            except ApiError as error:
                if attempt + 1 >= ATTEMPTS or not repeatable(request, error):
                    raise
                await asyncio.sleep(_wait(error, attempt))
            metrics.RETRIES.labels(request.verb).inc()
            attempt += 1

    async def _once(self, request: Request, kind: Kind | None) -> Answer:
        if self._bucket is not None:
            metrics.LIMITED.inc(await self._bucket.take())
        if self.before_write is not None and not request.reads:
            self.before_write()
        started = time.perf_counter()
        try:
            answer = await self._transport.send(request, self._timeout)
        except ApiError as error:
            _count(request, kind, type(error).__name__)
            raise
        _timer(request.verb).observe(time.perf_counter() - started)
        _count(request, kind, answer.code)
        for warning in answer.warnings:
            _warn(warning, kind.resource if kind else request.target)
        if answer.code >= 300:
            raise error_of(answer.code, answer.body, answer.retry_after)
        return answer


def repeatable(request: Request, error: ApiError) -> bool:
    """Whether sending it again cannot do what was done already: reads, and writes that certainly were not carried out."""
    if isinstance(error, TooManyRequests | Unreachable):
        return True
    return request.reads and isinstance(error, Unavailable)


def _wait(error: ApiError, attempt: int) -> float:
    pause = full_jitter(attempt, base=BACKOFF_BASE, cap=BACKOFF_CAP)
    return error.retry_after + pause if isinstance(error, TooManyRequests) else pause


def _count(request: Request, kind: Kind | None, code: int | str) -> None:
    _counter(request.method, kind.plural if kind else "", code).inc()


_timer = lru_cache(maxsize=64)(metrics.DURATION.labels)


@lru_cache(maxsize=1024)
def _counter(method: str, resource: str, code: int | str) -> Counter:
    return metrics.REQUESTS.labels(method, resource, str(code))


@lru_cache(maxsize=1024)
def _warn(warning: str, resource: str) -> None:
    """Log it once: a warning about a kind comes with every request for it."""
    LOG.warning("API server warns", extra={"warning": warning, "resource": resource})


def _page(body: Body, kind: Kind) -> Page:
    meta = body.get("metadata") or {}
    items = tuple(body.get("items") or ())
    for item in items:
        # Lists of built-in kinds leave these two out of their items.
        item.setdefault("apiVersion", kind.api_version)
        item.setdefault("kind", kind.kind)
    return Page(items, str(meta.get("resourceVersion") or ""), str(meta.get("continue") or ""))


def _event(event: Body) -> WatchEvent:
    if event["type"] != "ERROR":
        return WatchEvent(event["type"], event["object"])
    status = event.get("object") or {}
    raise error_of(int(status.get("code") or 500), status)
