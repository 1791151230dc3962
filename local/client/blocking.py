"""A blocking Kubernetes client of raw objects, with helpers that wait."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import urllib3

from local.client.rest import MERGE, RestError, read_kubeconfig
from shared.kinds import Kind
from shared.model.types import Body

JSON_PATCH: Final = "application/json-patch+json"
SECONDS: Final = 60.0
_POLL: Final = 0.1
_ANSWER_SECONDS: Final = 60.0
_SHOWN: Final = 1500
T = TypeVar("T")


class BlockingClient:
    """A client of one API server. Raises RestError for refused requests.

    `seconds`: for the answer to one try; `retries`: of requests whose connection breaks or that get no answer.
    """

    def __init__(self, kubeconfig: Path, *, seconds: float = _ANSWER_SECONDS, retries: int = 3) -> None:
        self.server, self._headers, context = read_kubeconfig(kubeconfig)
        self._seconds = seconds
        tls = None if isinstance(context, bool) else context
        policy = urllib3.Retry(retries, status=0, redirect=0)
        self._pool = urllib3.PoolManager(maxsize=16, retries=policy, ssl_context=tls)

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """The decoded answer, or text where it is not JSON."""
        return self.request_with_warnings(method, path, body, content_type)[0]

    def request_with_warnings(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> tuple[Any, tuple[str, ...]]:
        """The decoded answer, and the warnings that come with it."""
        data = None if body is None else orjson.dumps(body)
        headers = self._headers | ({"Content-Type": content_type} if data is not None else {})
        answer = self._pool.request(method, self.server + path, body=data, headers=headers, timeout=self._seconds)
        plain = not answer.headers.get("Content-Type", "").startswith("application/json")
        content = answer.data.decode(errors="replace") if plain else orjson.loads(answer.data)
        if answer.status >= 400:
            raise _error(answer.status, content)
        return content, tuple(_warning(text) for text in answer.headers.getlist("Warning"))

    def stream(self, path: str) -> Iterator[bytes]:
        """The lines of a watch, as they arrive."""
        timeout = urllib3.Timeout(connect=10, read=60)
        answer = self._pool.request(
            "GET", self.server + path, headers=self._headers, preload_content=False, timeout=timeout
        )
        try:
            rest = b""
            for chunk in answer.stream(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from filter(None, lines)
        finally:
            answer.release_conn()

    def get(self, kind: Kind, namespace: str, name: str) -> Body:
        found: Body = self.request("GET", path(kind, namespace, name))
        return found

    def find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """The object, or None if it does not exist."""
        try:
            return self.get(kind, namespace, name)
        except RestError as error:
            if error.code == 404:
                return None
            raise

    def list(self, kind: Kind, namespace: str = "", selector: str = "") -> list[Body]:
        query = f"?labelSelector={selector}" if selector else ""
        return list(self.request("GET", path(kind, namespace) + query)["items"])

    def create(self, kind: Kind, body: Body) -> Body:
        made: Body = self.request("POST", path(kind, body["metadata"].get("namespace", "")), body)
        return made

    def apply(self, kind: Kind, body: Body) -> Body:
        """Create the object, or merge it into the existing one."""
        meta = body["metadata"]
        try:
            return self.create(kind, body)
        except RestError as error:
            if error.code != 409 or error.reason != "AlreadyExists":
                raise
        return self.patch(kind, meta.get("namespace", ""), meta["name"], body)

    def patch(
        self, kind: Kind, namespace: str, name: str, change: Any, subresource: str = "", content_type: str = ""
    ) -> Body:
        """`change`: a merge patch (dict) or a JSON patch (list)."""
        usual = JSON_PATCH if isinstance(change, list) else MERGE
        where = path(kind, namespace, name) + (f"/{subresource}" if subresource else "")
        made: Body = self.request("PATCH", where, change, content_type or usual)
        return made

    def delete(self, kind: Kind, namespace: str, name: str, propagation: str = "Background") -> None:
        """Delete the object if it exists."""
        try:
            self.request("DELETE", path(kind, namespace, name), {"propagationPolicy": propagation})
        except RestError as error:
            if error.code != 404:
                raise

    def wait(
        self, kind: Kind, namespace: str, name: str, holds: Callable[[Body], bool], seconds: float = SECONDS
    ) -> Body:
        """Wait until `holds` is true for the object. Raises TimeoutError with its last status."""
        last: Body | None = None

        def look() -> Body | None:
            nonlocal last
            last = self.find(kind, namespace, name)
            return last if last is not None and holds(last) else None

        return until(look, seconds, lambda: f"{kind.kind} {namespace}/{name}: {_short(last)}")

    def wait_gone(self, kind: Kind, namespace: str, name: str, seconds: float = SECONDS) -> None:
        until(
            lambda: self.find(kind, namespace, name) is None,
            seconds,
            lambda: f"{kind.kind} {namespace}/{name} is still there: {self.find(kind, namespace, name)}",
        )


def until(look: Callable[[], T | None], seconds: float, otherwise: Callable[[], str]) -> T:
    """Poll `look` until it returns a truthy value. Raises TimeoutError with the message `otherwise()`."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds:.0f} s: {otherwise()}")
        time.sleep(_POLL)


def path(kind: Kind, namespace: str = "", name: str = "") -> str:
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
    scope = f"/namespaces/{namespace}" if kind.namespaced and namespace else ""
    return f"{root}{scope}/{kind.plural}" + (f"/{name}" if name else "")


def _short(body: Body | None) -> str:
    """A status, shortened for an error message."""
    text = orjson.dumps((body or {}).get("status")).decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def kind_of(body: Body, kinds: Iterable[Kind]) -> Kind:
    """The kind of a manifest, one of `kinds`."""
    return next(each for each in kinds if (each.api_version, each.kind) == (body["apiVersion"], body["kind"]))


def _warning(header: str) -> str:
    """The text of `299 - "TEXT"`, in which quotes and backslashes are escaped."""
    text = header.partition('"')[2].rpartition('"')[0].encode("latin-1", "replace").decode(errors="replace")
    return re.sub(r"\\(.)", r"\1", text)


def _error(code: int, content: Any) -> RestError:
    if isinstance(content, dict):
        return RestError(code, str(content.get("message", "")), str(content.get("reason", "")))
    return RestError(code, str(content))
