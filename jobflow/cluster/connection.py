"""The connection to a cluster's API server. Loaded only when a flow is run."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, Generic, TypeVar

import msgspec

from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.contexts import namespace_in_use
from shared.kube.client.errors import ApiError
from shared.kube.client.transport import Transport

T = TypeVar("T")
MANAGER: Final = "jobflow-sdk"


class ClusterAccess(msgspec.Struct, frozen=True):
    """A cluster and a namespace of it. By default: $KUBECONFIG, the service account of the Pod around, or ~/.kube/config,
    with the namespace that it says."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""


class ClusterError(Exception):
    """The cluster cannot be reached, or refused the request. `code`: HTTP status, 0 if there was no answer."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class ClusterSession(msgspec.Struct, frozen=True):
    """An open connection."""

    api: Api
    transport: Transport
    namespace: str


@asynccontextmanager
async def connected(cluster: ClusterAccess) -> AsyncIterator[ClusterSession]:
    """Raises ClusterError where no cluster is configured, and for every answer that is an error."""
    try:
        access = await connect.load(cluster.kubeconfig, cluster.context)
    except connect.NoCluster as error:
        said = str(error).removeprefix("no --kubeconfig, ")
        raise ClusterError(f"{said}; name a cluster: Cluster(kubeconfig=...)") from None
    namespace = cluster.namespace or namespace_in_use(cluster.kubeconfig, cluster.context)
    transport = Transport(access, user_agent=MANAGER)
    async with Api(transport) as api:
        try:
            yield ClusterSession(api, transport, namespace)
        except ApiError as error:
            raise ClusterError(error.message, error.code) from error


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` from code that is not async and returns its result. In a notebook, whose loop already runs, it uses
    another thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _Elsewhere(work).result()


class _Elsewhere(Generic[T]):
    """Runs a coroutine in a thread; an interrupt of the caller cancels it."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def result(self) -> T:
        self._thread.start()
        try:
            self._thread.join()
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join()
            raise
        if self._errors:
            raise self._errors[0]
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._loop.run_until_complete(self._work))
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it again
            self._errors.append(error)
        finally:
            self._loop.close()

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
