"""Tries the HTTP and TCP probes of waiting steps.

A bounded number runs at once, and only the target pods' own IPs are contacted, so that a flow cannot make the
controller reach other addresses.
"""

import asyncio
import heapq
import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import aiohttp
import msgspec

from controller.jobflow.model.context import ProbeWanted
from controller.jobflow.model.observed import ProbeResult
from controller.jobflow.model.pod_results import PodAddress
from shared.codec.plural import number_of, verb
from shared.key import Key
from shared.kube.client.errors import ApiError
from shared.model.step import HttpGet, TcpSocket

LOG: Final = logging.getLogger(__name__)
Addresses = Callable[[str, str, str], Awaitable[list[PodAddress]]]
PERIOD: Final = 2.0
TIMEOUT: Final = 1.0
GOOD: Final = range(200, 400)


class _Entry(msgspec.Struct):
    """The probes of one step. `due`: when they are tried next, on the event loop's clock; `result`: of the last try."""

    key: Key
    step: str
    probes: tuple[ProbeWanted, ...]
    result: ProbeResult | None = None
    trying: bool = False
    gone: bool = False


class Prober:
    """`addresses(namespace, job, task)`: where pods listen; `wake(key)`: a result has changed; `limit`: tries at once.

    `allow_loopback`: for clusters whose pods are processes of this machine.
    """

    def __init__(
        self,
        addresses: Addresses,
        wake: Callable[[Key], Any],
        *,
        limit: int = 64,
        allow_loopback: bool = False,
        period: float = PERIOD,
    ) -> None:
        self._addresses = addresses
        self._wake = wake
        self._limit = limit
        self._allow_loopback = allow_loopback
        self._period = period
        self._entries: dict[Key, dict[str, _Entry]] = {}
        self._due: list[tuple[float, int, _Entry]] = []
        self._number = 0
        self._busy = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def results(self, key: Key) -> Mapping[str, ProbeResult]:
        """The last result by step, for those tried at least once."""
        entries = self._entries.get(key)
        if not entries:
            return {}
        return {name: entry.result for name, entry in entries.items() if entry.result is not None}

    def want(self, key: Key, probes: Sequence[ProbeWanted]) -> None:
        """From now on exactly these are tried for the flow `key`."""
        if not probes and key not in self._entries:
            return
        by_step: dict[str, list[ProbeWanted]] = {}
        for probe in probes:
            by_step.setdefault(probe.step, []).append(probe)
        known = self._entries.pop(key, {})
        kept: dict[str, _Entry] = {}
        for name, wanted in by_step.items():
            entry = known.pop(name, None)
            if entry is not None and entry.probes == tuple(wanted):
                kept[name] = entry
                continue
            if entry is not None:
                entry.gone = True
            kept[name] = _Entry(key, name, tuple(wanted))
            self._schedule(kept[name], 0.0)
        for entry in known.values():
            entry.gone = True
        if kept:
            self._entries[key] = kept

    async def close(self) -> None:
        """Stop trying."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _schedule(self, entry: _Entry, seconds: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (time.monotonic() + seconds, self._number, entry))
        self._arm()

    def _arm(self) -> None:
        """Schedule `_pump` for the time at which the next entry is due, if a slot is free then."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due and self._busy < self._limit:
            pause = max(self._due[0][0] - time.monotonic(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(pause, self._pump)

    def _pump(self) -> None:
        self._timer = None
        now = time.monotonic()
        while self._due and self._busy < self._limit and self._due[0][0] <= now:
            _, _, entry = heapq.heappop(self._due)
            if entry.gone:
                continue
            self._busy += 1
            task = asyncio.create_task(self._try(entry), name=f"probe {entry.key} {entry.step}")
            self._tasks.add(task)
            task.add_done_callback(self._tried)
        self._arm()

    def _tried(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._busy -= 1
        self._arm()

    async def _try(self, entry: _Entry) -> None:
        try:
            failing = ""
            for probe in entry.probes:
                failing = await self._failing(entry.key, probe)
                if failing:
                    break
        except ApiError as error:
            failing = f"pods cannot be read: {error.message}"
        except Exception as error:
            LOG.exception("a probe could not be tried", extra={"key": str(entry.key), "step": entry.step})
            failing = f"{words_of(probe.check)} cannot be tried: {_short(error)}"
        if entry.gone:
            return
        result = ProbeResult(not failing, failing)
        changed, entry.result = result != entry.result, result
        self._schedule(entry, self._period)
        if changed:
            self._wake(entry.key)

    async def _failing(self, key: Key, probe: ProbeWanted) -> str:
        """Why a probe does not hold; empty when it holds."""
        label = words_of(probe.check)
        if not probe.jobs:
            return f"{label}: no pod of task {probe.task} is there"
        for job in probe.jobs:
            pods = await self._addresses(key.namespace, job, probe.task)
            holding, failing = 0, ""
            for pod in pods:
                said = await self._ask(pod, probe.check)
                if said:
                    failing = failing or f"{label} on {pod.name} failing: {said}"
                else:
                    holding += 1
                if holding >= probe.minimum:
                    break
            if holding < probe.minimum:
                running = f"{holding} of {number_of(probe.minimum, 'pod')} of task {probe.task}"
                return failing or f"{label}: {running} {verb(probe.minimum, 'runs', 'run')}"
        return ""

    async def _ask(self, pod: PodAddress, check: HttpGet | TcpSocket) -> str:
        refused = self._refused(pod)
        if refused:
            return refused
        try:
            async with asyncio.timeout(TIMEOUT):
                if isinstance(check, HttpGet):
                    return await self._get(pod.ip, check)
                _, writer = await asyncio.open_connection(pod.ip, check.port)
                writer.close()
                return ""
        except TimeoutError:
            return "no answer in 1 s"
        except (OSError, aiohttp.ClientError, ValueError) as error:
            return _short(error)

    async def _get(self, ip: str, check: HttpGet) -> str:
        host = f"[{ip}]" if ":" in ip else ip
        path = check.path if check.path.startswith("/") else f"/{check.path}"
        headers = {check.http_header.name: check.http_header.value} if check.http_header else {}
        url = f"http://{host}:{check.port}{path}"
        connector = aiohttp.TCPConnector(limit=1, force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            return "" if answer.status in GOOD else str(answer.status)

    def _refused(self, pod: PodAddress) -> str:
        """Why the pod's address must not be contacted; empty: it may."""
        if pod.host_network:
            return "it uses the node's network"
        try:
            ip = ipaddress.ip_address(pod.ip)
        except ValueError:
            return "it has no IP yet"
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if ip.is_loopback and self._allow_loopback:
            return ""
        if ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
            return f"{ip} is no pod's address"
        return ""


def words_of(check: HttpGet | TcpSocket) -> str:
    """`probe http :8080/ready` or `probe tcp :5432`."""
    if isinstance(check, HttpGet):
        return f"probe http :{check.port}{check.path if check.path.startswith('/') else '/' + check.path}"
    return f"probe tcp :{check.port}"


def _short(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:100]
