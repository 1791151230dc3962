"""Follows the logs of pods: begins to read each one as it starts, and says why others do not."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from shared.kube.pod_logs import STARTED
from shared.model.types import Body

_POLL_SECONDS: Final = 1.0

Look = Callable[[], Awaitable[tuple[bool, list[Body]]]]
"""Whether no more pods will come, and the pods so far."""
Read = Callable[[Body, bool], Awaitable[None]]
"""Reads the log of a pod until it ends. True: there are several pods."""
Why = Callable[[Body], tuple[str, str] | None]
"""Why a pod writes nothing, as (cause, text); None if nothing is wrong."""
Say = Callable[[Body, str], Awaitable[None]]


class PodFollower:
    """`say` is called with the text of `why`, once for each cause of a pod."""

    def __init__(self, look: Look, read: Read, why: Why, say: Say) -> None:
        self._look = look
        self._read = read
        self._why = why
        self._say = say
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._said: dict[str, str] = {}

    @property
    def reading(self) -> Iterable["asyncio.Task[None]"]:
        """The tasks that read a pod; the caller cancels them if it ends early."""
        return self._reading.values()

    async def run(self) -> None:
        """Until no more pods come and all logs have ended. Raises what `look` raises."""
        while True:
            over, pods = await self._look()
            for pod in pods:
                uid = pod["metadata"]["uid"]
                if uid not in self._reading and (pod.get("status") or {}).get("phase") in STARTED:
                    self._reading[uid] = asyncio.ensure_future(self._read(pod, len(pods) > 1))
                await self._explain(uid, pod)
            if over:
                await asyncio.gather(*self._reading.values())
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _explain(self, uid: str, pod: Body) -> None:
        found = self._why(pod)
        if found is not None and self._said.get(uid) != found[0]:
            self._said[uid] = found[0]
            await self._say(pod, found[1])
