"""Watches one kind in one namespace, from the moment when it begins."""

import contextlib
from abc import abstractmethod
from typing import Final, Self

import orjson
from urllib3.exceptions import HTTPError

from local.client.blocking import BlockingClient, path
from shared.kinds import Kind
from shared.model.types import Body
from tests.e2e.support.background import BackgroundThread

_PAUSE: Final = 0.05


class NamespaceWatch(BackgroundThread):
    """Calls `_note` with the object of each event, in the API server's order.

    `relist`: when events were missed, list the objects and continue; their order in the gap is then unknown. The API
    server forgets earlier events when a CRD is replaced.
    """

    def __init__(self, kube: BlockingClient, kind: Kind, namespace: str, *, relist: bool = False) -> None:
        super().__init__()
        self._kube = kube
        self._path = path(kind, namespace)
        self._relist = relist

    def __enter__(self) -> Self:
        page = self._kube.request("GET", self._path)
        self._version = str(page["metadata"]["resourceVersion"])
        return super().__enter__()

    @abstractmethod
    def _note(self, body: Body, *, deleted: bool = False) -> None: ...

    def _run(self) -> None:
        """A watch that breaks off, as when the CRD is updated (429), continues from the last event."""
        while not self._stop.wait(_PAUSE):
            with contextlib.suppress(HTTPError):
                self._watch()

    def _watch(self) -> None:
        for line in self._kube.stream(f"{self._path}?watch=1&resourceVersion={self._version}&timeoutSeconds=2"):
            event = orjson.loads(line)
            if event["type"] == "ERROR" and self._relist and event["object"].get("code") == 410:
                self._list()
                return
            if event["type"] == "ERROR":
                raise AssertionError(f"events were missed: {event['object']}")
            if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
                self._version = event["object"]["metadata"]["resourceVersion"]
                self._note(event["object"], deleted=event["type"] == "DELETED")

    def _list(self) -> None:
        page = self._kube.request("GET", self._path)
        for body in page["items"]:
            self._note(body)
        self._version = str(page["metadata"]["resourceVersion"])
