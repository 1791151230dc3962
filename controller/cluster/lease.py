"""Leader election on a coordination.k8s.io Lease, after client-go's rules, with the clocks on the safe side.

Other holders are judged by when *we* saw their record change, never by the times written in it. Ourselves we judge by
when we *sent* the last renewal that succeeded: `held()` is false from `renew_seconds` after it on, even if the process
slept through it (SIGSTOP, a suspended machine), while others wait `lease_seconds` since they saw it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from controller import metrics
from shared.kinds import LEASE
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError, NotFound
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)

# client-go's 15, 10 and 2 take up to 20 s from a leader's death to the next one; these take 14 at most: a standby may
# see the last renewal a retry late, waits for the lease to run out, and looks again a retry later.
LEASE_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 7.0
RETRY_SECONDS: Final = 1.5
JITTER: Final = 1.2
RELEASED_SECONDS: Final = 1  # as client-go writes it: the next one need not wait


def steady() -> float:
    """Seconds on a clock that neither jumps nor stops while the machine is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeaseLost(Exception):
    """The lease could not be renewed in time: somebody else may lead now. The process must end."""


class Seen(msgspec.Struct, frozen=True):
    """The record as last read, and when it was first read so."""

    record: Body
    at: float


class Lease:
    """`identity`: unique for this process; `clock`: steady seconds; `now`: epoch seconds, only ever written."""

    def __init__(
        self,
        api: Api,
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
        self._seen: Seen | None = None
        self._until = float("-inf")
        self._over = False
        self._leader = ""
        self._gauge = metrics.LEADER.labels(name)
        self._gauge.set_function(lambda: float(self.held()))

    def held(self) -> bool:
        """Whether this process may act now. Asked before each write."""
        return not self._over and self._clock() < self._until

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then run `lead` while renewing; release it when `lead` has ended.

        Raises LeaseLost, after cancelling `lead`, when it could not be renewed in time. Cancelled: ends `lead`, releases.
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
            await asyncio.sleep(self._retry_seconds * random.uniform(1.0, JITTER))
        LOG.info("leading", extra={"lease": self._name, "identity": self.identity})

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._retry_seconds)
            left = self._until - self._clock()
            if left > 0:
                try:
                    async with asyncio.timeout(left):
                        await self._try()
                except TimeoutError:
                    pass
            if not self.held():
                self._over = True
                LOG.error("lease lost", extra={"lease": self._name, "holder": self._leader})
                raise LeaseLost(f"lease {self._namespace}/{self._name} was not renewed in {self._renew_seconds} s")

    async def _try(self) -> bool:
        """Take or renew the lease if the rules allow it. Whether it is ours now; errors mean no."""
        started = self._clock()
        try:
            body = await self._api.get(LEASE, self._namespace, self._name)
        except NotFound:
            return await self._write(None, started)
        except ApiError as error:
            LOG.warning("lease not read", extra={"lease": self._name, "error": str(error)})
            return False
        self._observe(body.get("spec") or {})
        return not self._is_taken() and await self._write(body, started)

    def _observe(self, record: Body) -> None:
        if self._seen is None or self._seen.record != record:
            self._seen = Seen(record, self._clock())
        holder = str(record.get("holderIdentity") or "")
        if holder != self._leader:
            self._leader = holder
            LOG.info("leader seen", extra={"lease": self._name, "holder": holder})
        if self._until > self._clock() and holder != self.identity:
            self._until = float("-inf")  # somebody took it by force: stop at once

    def _is_taken(self) -> bool:
        """Whether somebody else holds it, and has shown life within its duration by our own clock."""
        assert self._seen is not None
        record = self._seen.record
        holder = record.get("holderIdentity")
        if not holder or holder == self.identity:
            return False
        duration = float(record.get("leaseDurationSeconds") or self._lease_seconds)
        return self._clock() < self._seen.at + duration

    async def _write(self, body: Body | None, started: float) -> bool:
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
        self._until = started + self._renew_seconds
        return self.held()

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
        """Let the next one lead at once. Best effort: without it, it waits for the lease to run out."""
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
