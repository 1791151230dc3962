"""A thread that lists and watches one kind; no fault is injected into it."""

import time
from abc import abstractmethod
from pathlib import Path
from typing import Final

import orjson
from urllib3.exceptions import HTTPError

from local.client.blocking import BlockingClient, path
from local.client.rest import RestError
from shared.kinds import Kind
from shared.model.types import Body
from tests.e2e.support.background import BackgroundThread

_PAUSE: Final = 0.1


class StreamRecorder(BackgroundThread):
    """`begins_list` is called before the objects of a list, `note` with each of them and with that of each event, `settled`
    after a whole list and after each event."""

    def __init__(self, kubeconfig: Path, kind: Kind) -> None:
        super().__init__()
        self._kind = kind
        self._kube = BlockingClient(kubeconfig)

    def begins_list(self) -> None:
        """A list follows: what it does not contain is gone."""

    @abstractmethod
    def note(self, body: Body, at: float, *, deleted: bool = False) -> None:
        """An object as it is at the moment `at` (monotonic clock)."""

    def settled(self, at: float) -> None:
        """A whole list, or one event, has been noted."""

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                version = self._listed()
                while version and not self._stop.is_set():
                    version = self._watched(version)
            except (RestError, HTTPError, OSError, orjson.JSONDecodeError):
                self._stop.wait(_PAUSE)

    def _listed(self) -> str:
        page = self._kube.request("GET", path(self._kind))
        self.begins_list()
        at = time.monotonic()
        for body in page["items"]:
            self.note(body, at)
        self.settled(at)
        return str(page["metadata"]["resourceVersion"])

    def _watched(self, version: str) -> str:
        """The resourceVersion to continue from; "" when a new list is needed."""
        for line in self._kube.stream(f"{path(self._kind)}?watch=1&resourceVersion={version}&timeoutSeconds=5"):
            event = orjson.loads(line)
            if event["type"] == "ERROR":
                return ""
            version = event["object"]["metadata"]["resourceVersion"]
            at = time.monotonic()
            self.note(event["object"], at, deleted=event["type"] == "DELETED")
            self.settled(at)
        return version
