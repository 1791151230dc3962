"""Follows the logs of pods: begins to read each one as it starts, and says why others do not."""

import asyncio
from collections.abc import Awaitable, Callable
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

    async def run(self) -> None:
        """Until no more pods come and all logs have ended. Raises what `look` and `read` raise; nothing is read after
        that, nor after a cancellation.
        """
        try:
            while not await self._look_once():
                await asyncio.sleep(_POLL_SECONDS)
                for task in self._reading.values():
                    if task.done():
                        task.result()
            await asyncio.gather(*self._reading.values())
        finally:
            for task in self._reading.values():
                task.cancel()
            await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def _look_once(self) -> bool:
        """Begin to read the pods that have started; whether no more will come."""
        over, pods = await self._look()
        for pod in pods:
            uid = pod["metadata"]["uid"]
            if uid not in self._reading and (pod.get("status") or {}).get("phase") in STARTED:
                self._reading[uid] = asyncio.ensure_future(self._read(pod, len(pods) > 1))
            await self._explain(uid, pod)
        return over

    async def _explain(self, uid: str, pod: Body) -> None:
        found = self._why(pod)
        if found is not None and self._said.get(uid) != found[0]:
            self._said[uid] = found[0]
            await self._say(pod, found[1])
