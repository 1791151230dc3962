"""`logs --follow`: reads every pod as it starts."""

import argparse

from cli.client import Session
from cli.logs.pod_log import follow_log
from cli.logs.source import LogSource, check_container, source_ended, source_pods
from cli.output import note
from shared.kube.pod_follower import PodFollower
from shared.model.types import Body
from shared.podstatus.podproblem import pod_problem


async def follow_logs(session: Session, arguments: argparse.Namespace, source: LogSource) -> None:
    """Print the logs of all pods until the Job or the step of another kind has ended and everything is read."""

    async def look() -> tuple[bool, list[Body]]:
        over = await source_ended(session, source)
        pods = await source_pods(session, source, arguments.task)
        if pods:
            check_container(arguments.container, source, pods)
        return over, pods

    async def read(pod: Body, several: bool) -> None:
        await follow_log(session, arguments, pod, prefix=several)

    async def say(pod: Body, why: str) -> None:
        note(f"{pod['metadata']['name']}: {why}")

    await PodFollower(look, read, _problem, say).run()


def _problem(pod: Body) -> tuple[str, str] | None:
    """Its kind and text: the numbers in the text change."""
    problem = pod_problem(pod)
    return None if problem is None else (problem.kind, str(problem))
