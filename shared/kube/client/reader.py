"""The reading half of the API client: get, list, watch, and any path by GET.

Code that must not write, such as caches and lookups, takes an `ApiReader`; an import contract keeps `writer` from it.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import cached_property
from typing import Any, Final

import msgspec

from shared.codec.json_text import decode
from shared.kinds import Kind
from shared.kube.client import requests
from shared.kube.client.errors import error_of
from shared.kube.client.lines import Lines
from shared.kube.client.requests import Request
from shared.kube.client.sender import RequestSender
from shared.model.types import Body

PAGE: Final = 500
WATCH_SECONDS: Final = 300
IDLE_SECONDS: Final = 150.0  # kube-apiserver sends a bookmark about once a minute


class Page(msgspec.Struct, frozen=True):
    """One page of a list. `resource_version`: of the whole list, the same on every page. `remaining`: objects after this
    page, as far as the API server says."""

    items: tuple[Body, ...]
    resource_version: str
    continue_token: str
    remaining: int = 0


class EventMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """What a watch event says about its object without being decoded as a whole."""

    resource_version: str = ""
    uid: str = ""
    namespace: str = ""
    name: str = ""


class WatchEvent:
    """`type`: ADDED, MODIFIED, DELETED or BOOKMARK. The object of a BOOKMARK has only a resourceVersion.

    `object` is decoded when it is first read: a cache drops many events because of their metadata alone.
    """

    def __init__(self, line: bytes) -> None:
        """Raises ValueError if `line` is no event, and the error that an event of type ERROR contains."""
        try:
            head = _HEADS.decode(line)
        except msgspec.DecodeError as error:
            raise ValueError(f"not a watch event: {error}") from error
        self.type = head.type
        self.metadata = head.object.metadata
        self._line = line
        if self.type == "ERROR":
            raise error_of(int(self.object.get("code") or 500), self.object)

    @cached_property
    def object(self) -> Body:
        body: Body = decode(self._line)["object"]
        return body


class _ObjectHead(msgspec.Struct):
    metadata: EventMetadata = EventMetadata()


class _EventHead(msgspec.Struct):
    type: str
    object: _ObjectHead


_HEADS: Final = msgspec.json.Decoder(_EventHead)


class PrintedColumn(msgspec.Struct, frozen=True):
    name: str


class PrintedMetadata(msgspec.Struct, frozen=True):
    namespace: str = ""


class PrintedObject(msgspec.Struct, frozen=True):
    metadata: PrintedMetadata = PrintedMetadata()


class PrintedRow(msgspec.Struct, frozen=True):
    """`cells`: a value for each column, None where the object has none; `object`: None in the list of one namespace."""

    cells: tuple[str | int | float | bool | None, ...]
    object: PrintedObject | None = None


class PrintedPage(msgspec.Struct, frozen=True, rename={"columns": "columnDefinitions"}):
    """A page of a list as kubectl shows it (metav1.Table). `columns`: those of the CRD, after the name."""

    kind: str
    columns: tuple[PrintedColumn, ...] = ()
    rows: tuple[PrintedRow, ...] = ()
    metadata: dict[str, Any] = {}


class ApiReader:
    """Every method raises `shared.kube.client.errors.ApiError` or returns what the API server stored."""

    def __init__(self, sender: RequestSender) -> None:
        self._sender = sender

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        answer = await self._sender.send(requests.get(kind, namespace, name), kind)
        body: Body = decode(answer.body)
        return body

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
        """The pages of one consistent list. Raises Gone when the server no longer has that snapshot."""
        token = ""
        while True:
            page = await self.page(
                kind,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                limit=limit,
                continue_token=token,
            )
            yield page
            token = page.continue_token
            if not token:
                return

    async def printed(
        self, kind: Kind, namespace: str = "", *, label_selector: str = ""
    ) -> AsyncGenerator[PrintedPage, None]:
        """The list as the API server prints it, page by page: a tenth of the objects' size. `columns` of later pages
        may be empty. The `kind` of the page is not Table if the server prints no tables. Raises Gone as `pages` does.
        """
        token = ""
        while True:
            request = requests.list_page(
                kind, namespace, label_selector=label_selector, limit=PAGE, continue_token=token, printed=True
            )
            page = msgspec.json.decode((await self._sender.send(request, kind)).body, type=PrintedPage)
            yield page
            token = str(page.metadata.get("continue") or "")
            if not token:
                return

    async def page(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = PAGE,
        continue_token: str = "",
    ) -> Page:
        """One page: the first, or the one after that which gave `continue_token`. Raises Gone as `pages` does."""
        request = requests.list_page(
            kind,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=continue_token,
        )
        return _page(decode((await self._sender.send(request, kind)).body), kind)

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
        """Changes after `resource_version`, until the server ends the watch.

        Raises Gone if that version is too old, and Timeout if neither event nor bookmark arrived for `idle` seconds (a
        half-open connection).
        """
        request = requests.watch(
            kind,
            namespace,
            resource_version=resource_version,
            label_selector=label_selector,
            field_selector=field_selector,
            timeout_seconds=timeout_seconds,
        )
        async with self._sender.stream(request, kind, idle) as content:
            lines = Lines()
            async for chunk in content.iter_any():
                for line in lines.feed(chunk):
                    yield WatchEvent(line)

    async def get_path(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        """The decoded JSON at any path of the API server, or the text where it is not JSON (`/healthz`)."""
        answer = await self._sender.send(Request("get", "GET", requests.target(path, query)), None)
        try:
            return decode(answer.body)
        except ValueError:
            return answer.body.decode("utf-8", "replace")


def _page(body: Body, kind: Kind) -> Page:
    meta = body.get("metadata") or {}
    items = tuple(body.get("items") or ())
    for item in items:
        # The items in lists of built-in kinds lack these two fields.
        item.setdefault("apiVersion", kind.api_version)
        item.setdefault("kind", kind.kind)
    remaining = int(meta.get("remainingItemCount") or 0)
    return Page(items, str(meta.get("resourceVersion") or ""), str(meta.get("continue") or ""), remaining)
