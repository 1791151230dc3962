"""Leader election on a coordination.k8s.io Lease, by the rules of client-go, and safe under clock skew.

The lease of another holder expires `lease_seconds` after this process saw its record change; the times in the record are
not used. This also holds if somebody deletes the Lease or empties its holder meanwhile: the holder has not seen that
yet. Only a record that says that the lease was released ends it at once. The own lease counts from the moment when the
last successful renewal was sent: `is_held()` is false from `renew_seconds` after it, even if the process was stopped
meanwhile (SIGSTOP, a suspended machine).

The holder renews by one request, without reading the Lease first, so that it keeps the lease while the API server takes up to
3 s for each response: two renewals in a row take less than `renew_seconds` then.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from controller import metrics
from shared.kinds import LEASE, Kind
from shared.kube.client.errors import ApiError, NotFound
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)

# With client-go's 15, 10 and 2 a new leader starts up to 20 s after the death of the old one; with these, up to 8.6 s:
# a standby sees the last renewal at most half a retry period late, and tries again exactly when the lease expires.
LEASE_SECONDS: Final = 8.0
RENEW_SECONDS: Final = 6.5
RETRY_SECONDS: Final = 1.0
JITTER: Final = 1.2
# The longest duration of a record that counts. No version of jobflow has written more, and a mistyped one must not stop
# all work.
MOST_SECONDS: Final = 15.0
RELEASED_SECONDS: Final = 1  # the value that client-go writes on release: the next leader need not wait


def steady() -> float:
    """Seconds of a clock that is never set and also runs while the machine is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeaseLost(Exception):
    """The lease was not renewed in time, so another process may lead now. This process must exit."""


class ObservedRecord(msgspec.Struct, frozen=True):
    """The spec of the Lease as last read, and until when another process holds the lease by it or by an earlier one."""

    record: Body
    others_until: float


class LeaseApi(Protocol):
    """The requests of an API client that leader election uses."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Body: ...

    async def create(self, kind: Kind, body: Body) -> Body: ...

    async def replace(self, kind: Kind, body: Body) -> Body: ...


class Lease:
    """`identity`: unique for this process; `clock`: see `steady`; `now`: epoch seconds, only for the times in the record."""

    def __init__(
        self,
        api: LeaseApi,
        namespace: str,
        name: str,
        identity: str,
        *,
        clock: Callable[[], float] = steady,
        now: Callable[[], float],
        lease_seconds: float = LEASE_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self.identity = identity
        self._clock = clock
        self._now = now
        self._lease_seconds = lease_seconds
        self._renew_seconds = renew_seconds
        self._retry_seconds = retry_seconds
        self._observed: ObservedRecord | None = None
        self._stored: Body | None = None  # the Lease as this process last wrote it
        self._tried_at = float("-inf")
        self._until = float("-inf")
        self._over = False
        self._leader = ""
        self._gauge = metrics.LEADER.labels(name)
        self._gauge.set_function(lambda: float(self.is_held()))

    def is_held(self) -> bool:
        """Whether this process may write now. Called before each write."""
        return not self._over and self._clock() < self._until

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then run `lead` while renewing it. Release it when `lead` has ended.

        Raises LeaseLost, after `lead` was cancelled, when the lease was not renewed in time. When this task is cancelled,
        `lead` is cancelled too and the lease is released.
        """
        await self._acquire()
        leading = asyncio.ensure_future(lead())
        renewing = asyncio.ensure_future(self._renew())
        try:
            await asyncio.wait({leading, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if renewing.done():
                renewing.result()
            leading.result()
        finally:
            lost = renewing.done()
            for task in (leading, renewing):
                task.cancel()
            await asyncio.gather(leading, renewing, return_exceptions=True)
            self._over = True
            if not lost:
                await self._release()

    async def _acquire(self) -> None:
        LOG.info("waiting for the lease", extra={"lease": self._name, "identity": self.identity})
        while True:
            if await self._try():
                break
            await asyncio.sleep(self._standby_pause())
        LOG.info("leading", extra={"lease": self._name, "identity": self.identity})

    def _standby_pause(self) -> float:
        """Seconds until the next try: half a retry period, to see renewals early, but no longer than the lease lasts."""
        pause = self._retry_seconds / 2 * random.uniform(1.0, JITTER)
        if self._observed is None or not self._is_taken():
            return pause
        return min(pause, max(0.0, self._observed.others_until - self._clock()))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(max(0.0, self._tried_at + self._retry_seconds - self._clock()))
            left = self._until - self._clock()
            if left > 0:
                try:
                    async with asyncio.timeout(left):
                        await self._try()
                except TimeoutError:
                    pass
            if not self.is_held():
                self._over = True
                LOG.error("lease lost", extra={"lease": self._name, "holder": self._leader})
                raise LeaseLost(f"lease {self._namespace}/{self._name} was not renewed in {self._renew_seconds} s")

    async def _try(self) -> bool:
        """Acquire or renew the lease if the rules allow it. Whether this process holds it now; an error means no."""
        self._tried_at = self._clock()
        if self._stored is not None and self.is_held() and await self._write(self._stored):
            return True
        try:
            body = await self._api.get(LEASE, self._namespace, self._name)
        except NotFound:
            return not self._is_taken() and await self._write(None)
        except ApiError as error:
            LOG.warning("lease not read", extra={"lease": self._name, "error": str(error)})
            return False
        self._observe(body.get("spec") or {})
        return not self._is_taken() and await self._write(body)

    def _observe(self, record: Body) -> None:
        if self._observed is None or self._observed.record != record:
            self._observed = ObservedRecord(record, self._others_until(record))
        holder = str(record.get("holderIdentity") or "")
        if holder != self._leader:
            self._leader = holder
            LOG.info("leader seen", extra={"lease": self._name, "holder": holder})
        if self._until > self._clock() and holder != self.identity:
            self._until = float("-inf")  # another process has overwritten the record: stop at once

    def _is_taken(self) -> bool:
        """Whether another process holds the lease and has renewed it within its duration, by the clock of this process."""
        return self._observed is not None and self._clock() < self._observed.others_until

    def _others_until(self, record: Body) -> float:
        """Until when another process holds the lease by a record that was just read for the first time."""
        holder, seconds = record.get("holderIdentity"), record.get("leaseDurationSeconds")
        if holder == self.identity or (not holder and seconds == RELEASED_SECONDS):
            return float("-inf")
        if not holder:
            return float("-inf") if self._observed is None else self._observed.others_until
        return self._clock() + min(float(seconds or self._lease_seconds), MOST_SECONDS)

    async def _write(self, body: Body | None) -> bool:
        """Write the record of this process over `body`, which must be the stored one; whether the lease is held now."""
        self._stored = None
        sent_at = self._clock()
        spec = self._record((body or {}).get("spec") or {})
        try:
            if body is None:
                stored = await self._api.create(LEASE, self._new(spec))
            else:
                stored = await self._api.replace(LEASE, {**body, "spec": spec})
        except ApiError as error:
            LOG.info("lease not written", extra={"lease": self._name, "error": str(error)})
            return False
        self._observe(stored.get("spec") or spec)
        self._stored = stored
        self._until = sent_at + self._renew_seconds
        return self.is_held()

    def _record(self, old: Body) -> Body:
        mine = old.get("holderIdentity") == self.identity
        stamp = micro_time(self._now())
        return {
            **old,
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(1, round(self._lease_seconds)),
            "acquireTime": old.get("acquireTime") or stamp if mine else stamp,
            "renewTime": stamp,
            "leaseTransitions": int(old.get("leaseTransitions") or 0) + (0 if mine or not old else 1),
        }

    def _new(self, spec: Body) -> Body:
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }

    async def _release(self) -> None:
        """Let the next leader start at once. Best effort: otherwise it waits until the lease expires."""
        self._until = float("-inf")
        try:
            async with asyncio.timeout(self._retry_seconds):
                body = await self._api.get(LEASE, self._namespace, self._name)
                spec = body.get("spec") or {}
                if spec.get("holderIdentity") != self.identity:
                    return
                released = {**spec, "holderIdentity": "", "leaseDurationSeconds": RELEASED_SECONDS}
                await self._api.replace(LEASE, {**body, "spec": {**released, "renewTime": micro_time(self._now())}})
        except (ApiError, TimeoutError) as error:
            LOG.warning("lease not released", extra={"lease": self._name, "error": str(error)})
        else:
            LOG.info("lease released", extra={"lease": self._name, "identity": self.identity})


def micro_time(at: float) -> str:
    """metav1.MicroTime."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
