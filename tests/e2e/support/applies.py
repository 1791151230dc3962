"""A load of applies, which are dry runs: what the webhook refuses or fails to answer meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

from local.client.blocking import BlockingClient, until
from local.client.rest import RestError
from shared.kinds import JOBFLOW
from tests.e2e.support.scenario import jobflow

PATIENCE: Final = 120.0


class Applies:
    """People who apply without pause, in threads; each fault is kept."""

    def __init__(self, kube: BlockingClient, workers: int = 4) -> None:
        self.done, self.faults = 0, list[str]()
        self._kube, self._stop = kube, threading.Event()
        self._workers = workers

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self._workers)
        self._running = [self._pool.submit(self._apply, number) for number in range(self._workers)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for each in self._running:
            each.result(30)
        self._pool.shutdown()

    def await_more(self, number: int) -> None:
        """Until so many more have been taken."""
        wanted = self.done + number
        until(lambda: self.done >= wanted, PATIENCE, lambda: f"{self.done} of {wanted} applies; {self.faults[-3:]}")

    def _apply(self, number: int) -> None:
        where = f"/apis/{JOBFLOW.api_version}/namespaces/default/jobflows?dryRun=All"
        body = jobflow("default", f"load-{number}", {"a": (), "b": ("a",)})
        while not self._stop.is_set():
            try:
                self._kube.request("POST", where, body)
                self.done += 1
            except RestError as error:
                self.faults.append(str(error))
