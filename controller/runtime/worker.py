"""Runs a reconciler over a queue: so many keys at a time, never one key twice, whatever the passes do."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import Final, Protocol

from controller import metrics
from controller.cluster.apply import STORED
from controller.cluster.errors import NotLeader, StaleError
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kube.client.errors import ApiError

LOG: Final = logging.getLogger(__name__)
PASS_SECONDS: Final = 120.0
STOP_SECONDS: Final = 20.0
NOT_LEADER_SECONDS: Final = 1.0

IN_HAND: Final[ContextVar[tuple[str, Key] | None]] = ContextVar("in_hand", default=None)
"""The controller and key whose pass is running in this context; own writes are told apart by it."""

_results: Final = lru_cache(maxsize=256)(metrics.RECONCILES.labels)


class Reconciler(Protocol):
    async def reconcile(self, key: Key) -> float | None:
        """Bring the object named `key` one step nearer to what it asks for; it may be gone.

        Returns the seconds after which to look again though nothing changed, or None. Raises for another try with
        back-off; StaleError for another try that is no failure.
        """
        ...


class Worker:
    """`uid_of`: for the logs; `pass_seconds`: the most that one pass may take."""

    def __init__(
        self,
        queue: WorkQueue,
        reconciler: Reconciler,
        *,
        concurrency: int = 32,
        uid_of: Callable[[Key], str] = lambda key: "",
        pass_seconds: float = PASS_SECONDS,
    ) -> None:
        self._queue = queue
        self._reconciler = reconciler
        self._uid_of = uid_of
        self._pass_seconds = pass_seconds
        self._slots = asyncio.Semaphore(concurrency)
        self._passes: set[asyncio.Task[None]] = set()
        self._name = queue.name
        self._time = metrics.PASS_TIME.labels(queue.name)
        metrics.MAX_ACTIVE.labels(queue.name).set(concurrency)
        metrics.ACTIVE.labels(queue.name).set_function(lambda: len(self._passes))
        # So that both appear in the metrics before the first failure.
        self._errors = metrics.ERRORS.labels(queue.name)
        self._panics = metrics.PANICS.labels(queue.name)

    async def run(self) -> None:
        """Take keys until the queue is closed, then finish those in hand. Cancelled: drop them at once."""
        try:
            while True:
                await self._slots.acquire()
                key = await self._queue.get()
                if key is None:
                    break
                task = asyncio.create_task(self._pass(key), name=f"{self._name} {key}")
                self._passes.add(task)
                task.add_done_callback(self._ended)
            if self._passes:
                await asyncio.wait(self._passes, timeout=STOP_SECONDS)
        finally:
            for task in self._passes:
                task.cancel()
            await asyncio.gather(*self._passes, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._passes.discard(task)
        self._slots.release()

    async def _pass(self, key: Key) -> None:
        IN_HAND.set((self._name, key))
        STORED.set(False)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._pass_seconds):
                again = await self._reconciler.reconcile(key)
        except asyncio.CancelledError as fault:
            if _cancelled():
                raise
            self._failed(
                key, fault, time.perf_counter() - started
            )  # something it waited for was cancelled, not the pass
        except Exception as fault:  # noqa: BLE001 - logged in _failed; no pass may end the loop
            self._failed(key, fault, time.perf_counter() - started)
        else:
            self._queue.forget(key)
            if again is not None:
                self._queue.add_after(key, again)
            self._count("requeue_after" if again is not None else "success")
            self._tell(key, time.perf_counter() - started)
        finally:
            self._time.observe(time.perf_counter() - started)
            self._queue.done(key)

    def _tell(self, key: Key, seconds: float) -> None:
        """A pass that changed what people see is told; the others only to who wants to know everything."""
        level = logging.INFO if STORED.get() else logging.DEBUG
        if LOG.isEnabledFor(level):
            LOG.log(level, "reconciled", extra=self._about(key, seconds))

    def _about(self, key: Key, seconds: float) -> dict[str, object]:
        return {
            "controller": self._name,
            "namespace": key.namespace,
            "name_": key.name,
            "uid": self._uid_of(key),
            "seconds": round(seconds, 6),
        }

    def _failed(self, key: Key, fault: BaseException, seconds: float) -> None:
        match fault:
            case NotLeader():
                # The next leader has the key too; but a renewal may be on its way, and then this process goes on.
                self._count("not_leader")
                self._queue.add_after(key, NOT_LEADER_SECONDS)
                return
            case StaleError():
                self._queue.add_failed(key)
                self._count("requeue")
                return
            case TimeoutError():
                metrics.TIMEOUTS.labels(self._name).inc()
            case ApiError():
                pass
            case _:
                self._panics.inc()
        self._errors.inc()
        self._count("error")
        pause = self._queue.add_failed(key)
        self._log(key, fault, seconds, pause)

    def _log(self, key: Key, fault: BaseException, seconds: float, pause: float) -> None:
        ours = not isinstance(fault, ApiError | TimeoutError)
        LOG.log(
            logging.ERROR if ours else logging.WARNING,
            "reconcile failed",
            exc_info=fault if ours else None,
            extra=self._about(key, seconds)
            | {"error": str(fault) or type(fault).__name__, "again_in": round(pause, 3)},
        )

    def _count(self, result: str) -> None:
        _results(self._name, result).inc()


def _cancelled() -> bool:
    """Whether it is this very task that somebody wants to end."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
