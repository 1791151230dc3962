"""`logs --follow`: reads every pod as it starts."""

import argparse
import asyncio
from typing import Final

from cli.client import Session
from cli.logs.pod_log import follow_log
from cli.logs.source import LogSource, check_container, source_ended, source_pods
from cli.output import note
from shared.kube.pod_logs import STARTED
from shared.model.types import Body
from shared.podstatus.podproblem import pod_problem

_POLL: Final = 1.0


class LogFollower:
    """Reads every pod as it starts, until the Job or the step of another kind has ended and everything is read."""

    def __init__(self, session: Session, arguments: argparse.Namespace, source: LogSource) -> None:
        self._session = session
        self._arguments = arguments
        self._source = source
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._reported: dict[str, str] = {}

    async def run(self) -> None:
        while True:
            over = await source_ended(self._session, self._source)
            pods = await source_pods(self._session, self._source, self._arguments.task)
            if pods:
                check_container(self._arguments.container, self._source, pods)
            for pod in pods:
                uid = pod["metadata"]["uid"]
                if uid not in self._reading and (pod.get("status") or {}).get("phase") in STARTED:
                    self._reading[uid] = asyncio.create_task(
                        follow_log(self._session, self._arguments, pod, prefix=len(pods) > 1)
                    )
                self._explain(pod)
            if over:
                await asyncio.gather(*self._reading.values())
                return
            await asyncio.sleep(_POLL)

    def _explain(self, pod: Body) -> None:
        """Print why a pod writes no log, once for each cause."""
        problem = pod_problem(pod)
        if problem is not None and self._reported.get(pod["metadata"]["uid"]) != problem.kind:
            self._reported[pod["metadata"]["uid"]] = problem.kind
            note(f"{pod['metadata']['name']}: {problem}")
