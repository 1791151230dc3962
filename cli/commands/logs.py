"""`logs NAME/STEP`: the logs of the pods of the step's latest Job, or of the object that it created instead."""

import argparse

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.logs.pod_log import print_log
from cli.logs.source import check_container, log_source, source_pods, why_no_pods


def run(arguments: argparse.Namespace) -> int:
    flow, slash, step = arguments.step.partition("/")
    if not slash or not flow or not step:
        raise CliError(f'"{arguments.step}": must be NAME/STEP, such as "nightly/train"')

    async def work(session: Session) -> int:
        source = await log_source(session, arguments.job, flow, step)
        if arguments.follow:
            from cli.logs.follower import follow_logs  # needs an event loop, which takes longer to import than a log

            await follow_logs(session, arguments, source)
            return Exit.OK
        pods = await source_pods(session, source, arguments.task)
        if not pods:
            raise CliError(f"{source} has no pods", Exit.NOT_FOUND, await why_no_pods(session, source))
        check_container(arguments.container, source, pods)
        printed = [await print_log(session, arguments, pod, prefix=len(pods) > 1) for pod in pods]
        return Exit.OK if any(printed) else Exit.NO

    return live(arguments, work, follows=arguments.follow)
