"""The logs of all pods of a Job in one stream, as they are written."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import msgspec

from shared.kinds import JOB
from shared.kube.client.errors import ApiError, BadRequest, NotFound, error_of
from shared.kube.pod_follower import PodFollower
from shared.kube.pod_logs import log_request, pods_of_job, why_no_logs
from shared.model.phases import JobPhase
from shared.model.types import Body
from web.cluster.caller import Caller
from web.cluster.capped_lines import CappedLines

MOST_LINES: Final = 10_000
TAIL: Final = 1_000  # lines of each pod that were written before
_MOST_PODS: Final = 100
_QUIET_SECONDS: Final = 3600.0  # a container may be silent for long
_AHEAD: Final = 500  # lines that are read before the browser has taken them


class LogLine(msgspec.Struct, frozen=True):
    """A line of a pod, or with `note` something about it."""

    pod: str
    text: str
    note: bool = False


class JobLogs:
    """`pod`: only this one; `container`: default: the first of each pod."""

    def __init__(self, caller: Caller, namespace: str, job: str, *, pod: str = "", container: str = "") -> None:
        self._caller = caller
        self._namespace = namespace
        self._job = job
        self._pod = pod
        self._container = container
        self._lines: asyncio.Queue[LogLine | None] = asyncio.Queue(_AHEAD)
        self._follower = PodFollower(self._look, self._read_pod, _reason, self._say)

    async def follow(self) -> AsyncGenerator[LogLine, None]:
        """Lines until the Job has ended and all is read, at most MOST_LINES. Raises ApiError for pods that may not be
        listed."""
        finding = asyncio.create_task(self._find())
        try:
            for _ in range(MOST_LINES):
                line = await self._lines.get()
                if line is None:
                    finding.result()
                    return
                yield line
            yield LogLine("", f"stopped after {MOST_LINES} lines; Download has them all", note=True)
        finally:
            finding.cancel()
            await asyncio.gather(finding, return_exceptions=True)

    async def _find(self) -> None:
        try:
            await self._follower.run()
        except Exception:
            await self._lines.put(None)
            raise
        await self._lines.put(None)  # not after a cancellation: nobody takes lines then, and the queue may be full

    async def _look(self) -> tuple[bool, list[Body]]:
        over = await self._over()
        pods = (await pods_of_job(self._caller.api, self._namespace, self._job))[:_MOST_PODS]
        return over, [pod for pod in pods if self._pod in ("", pod["metadata"]["name"])]

    async def _say(self, pod: Body, why: str) -> None:
        await self._lines.put(LogLine(pod["metadata"]["name"], why, note=True))

    async def _over(self) -> bool:
        try:
            job = await self._caller.api.get(JOB, self._namespace, self._job)
        except NotFound:
            return True
        phase = ((job.get("status") or {}).get("state") or {}).get("phase")
        return phase in [each.value for each in JobPhase if each.finished]

    async def _read_pod(self, pod: Body, several: bool) -> None:
        name = pod["metadata"]["name"]
        request = log_request(pod, self._container, follow=True, tail=TAIL)
        lines = CappedLines()
        try:
            async with self._caller.transport.stream(request, _QUIET_SECONDS) as (code, content, _):
                if code >= 300:
                    raise error_of(code, await content.read())
                async for chunk in content.iter_any():
                    for line in lines.feed(chunk):
                        await self._lines.put(LogLine(name, line))
            for line in lines.end():
                await self._lines.put(LogLine(name, line))
        except ApiError as error:
            await self._lines.put(LogLine(name, error.message, note=True))


def _reason(pod: Body) -> tuple[str, str] | None:
    why = why_no_logs(pod)
    return (why, why) if why else None


async def whole_log(caller: Caller, pod: Body, container: str) -> AsyncGenerator[bytes, None]:
    """The whole log of the container, unchanged. A pod that has not started has none. Raises ApiError."""
    request = log_request(pod, container, follow=False)
    async with caller.transport.stream(request, 60.0) as (code, content, _):
        if code == BadRequest.code:
            return
        if code >= 300:
            raise error_of(code, await content.read())
        async for chunk in content.iter_any():
            yield chunk
