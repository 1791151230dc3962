"""Runs a reconciler over a queue: up to `concurrency` keys at a time, and no key twice at the same time."""

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

CURRENT_PASS: Final[ContextVar[tuple[str, Key] | None]] = ContextVar("current_pass", default=None)
"""The controller and key of the pass that runs in this context. It identifies the writes of that pass."""

_results: Final = lru_cache(maxsize=256)(metrics.RECONCILES.labels)


class Reconciler(Protocol):
    async def reconcile(self, key: Key) -> float | None:
        """Bring the object named `key` one step nearer to its desired state; the object may be gone.

        Returns the seconds after which to reconcile again without a change, or None. An exception means a retry with
        back-off; StaleError means a retry that does not count as a failure.
        """
        ...


class Worker:
    """`uid_of`: the uid of an object, for the log; `pass_seconds`: the longest time that one pass may take."""

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
        # Create both series now, so that they exist before the first failure.
        self._errors = metrics.ERRORS.labels(queue.name)
        self._panics = metrics.PANICS.labels(queue.name)

    async def run(self) -> None:
        """Process keys until the queue is closed, then finish the running passes. When cancelled, cancel them at once."""
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
        CURRENT_PASS.set((self._name, key))
        STORED.set(False)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._pass_seconds):
                again = await self._reconciler.reconcile(key)
        except asyncio.CancelledError as fault:
            if _cancelled():
                raise
            # Something that the pass waited for was cancelled, not the pass itself.
            self._failed(key, fault, time.perf_counter() - started)
        except Exception as fault:  # noqa: BLE001 - logged in _failed; a failed pass must not end the worker
            self._failed(key, fault, time.perf_counter() - started)
        else:
            self._queue.forget(key)
            if again is not None:
                self._queue.add_after(key, again)
            self._count("requeue_after" if again is not None else "success")
            self._log_success(key, time.perf_counter() - started)
        finally:
            self._time.observe(time.perf_counter() - started)
            self._queue.done(key)

    def _log_success(self, key: Key, seconds: float) -> None:
        """Log a pass at level info if it stored a status, else at level debug."""
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
                # The next leader will reconcile the key. But the lease may still be renewed, and then this process continues.
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
            | {"error": str(fault) or type(fault).__name__, "retry_in": round(pause, 3)},
        )

    def _count(self, result: str) -> None:
        _results(self._name, result).inc()


def _cancelled() -> bool:
    """Whether this task itself is being cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
