"""`logs NAME/STEP`: the logs of the pods of the step's latest Job."""

import argparse
import asyncio
import sys
from typing import Final

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.follow import sub_flows
from cli.output import note
from drawing.nested import latest_flow
from shared.kinds import JOB, JOBFLOW, POD
from shared.kube.client.errors import ApiError, BadRequest, NotFound, error_of
from shared.kube.client.requests import Request
from shared.kube.pod_logs import STARTED, container_names, log_request, task_order, why_no_logs
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.names import JOB_NAME, TASK_SPEC
from shared.podstatus.podproblem import pod_problem
from webhook.hints.names import did_you_mean

_SECONDS: Final = 60.0
_QUIET: Final = 3600.0  # seconds without output before the connection is given up
_POLL: Final = 1.0
_ENDED: Final = frozenset(phase for phase in JobPhase if phase.finished)


def run(arguments: argparse.Namespace) -> int:
    flow, slash, step = arguments.step.partition("/")
    if not slash or not flow or not step:
        raise CliError(f'"{arguments.step}": must be NAME/STEP, such as "nightly/train"')

    async def work(session: Session) -> int:
        job = arguments.job or await _job_of(session, await session.api.get(JOBFLOW, session.namespace, flow), step)
        if arguments.follow:
            await _Follower(session, arguments, job).run()
            return Exit.OK
        pods = await _pods(session, arguments, job)
        if not pods:
            raise CliError(f"Job {job} has no pods", Exit.NOT_FOUND, await _why_no_pods(session, job))
        _check_container(arguments.container, job, pods)
        printed = [await _print(session, arguments, pod, prefix=len(pods) > 1) for pod in pods]
        return Exit.OK if any(printed) else Exit.NO

    return live(arguments, work)


async def _job_of(session: Session, flow: Body, path: str) -> str:
    """The latest Job of a step; `path` leads through steps that run flows: STEP/STEP, or STEP[2]/STEP in a loop."""
    step, slash, rest = path.partition("/")
    name, index = _indexed(step)
    if not slash:
        if any(one.get("name") == name and one.get("flow") for one in _steps(flow)):
            raise CliError(_inner_steps(flow, name), Exit.USAGE, "jobflow status shows them")
        return latest_job(flow, name)
    latest_job(flow, name)  # says so if there is no such step, or if it has not begun
    child = latest_flow(flow, name, index, await sub_flows(session, flow))
    if child is None:
        raise CliError(f"step {step} has no flow of which to show steps", Exit.NOT_FOUND)
    return await _job_of(session, child, rest)


def _indexed(step: str) -> tuple[str, int | None]:
    """`region[2]`: the step and the iteration."""
    name, bracket, index = step.partition("[")
    number = index.removesuffix("]")
    return (name, int(number)) if bracket and number.isascii() and number.isdigit() else (step, None)


def latest_job(flow: Body, step: str) -> str:
    """The name of the Job that the step created last. Raises CliError."""
    status = flow.get("status") or {}
    names = [each["name"] for each in _steps(flow)]
    if step not in names:
        raise CliError(f'no step named "{step}"{did_you_mean(step, names)}', Exit.NOT_FOUND)
    state: Body = next((each for each in status.get("steps") or () if each["name"] == step), {})
    if not state.get("jobs"):
        said = f"step {step} has not created a Job yet ({state.get('phase') or 'Waiting'})"
        raise CliError(said, Exit.NOT_FOUND)
    return str(state["jobs"][-1])


def _steps(flow: Body) -> list[Body]:
    spec = flow.get("spec") or {}
    return [each for field in ("flows", "finally") for each in spec.get(field) or ()]


def _inner_steps(flow: Body, name: str) -> str:
    return f"step {name} runs a flow: name a step of it, such as {flow['metadata']['name']}/{name}/STEP"


async def _pods(session: Session, arguments: argparse.Namespace, job: str) -> list[Body]:
    """The Job's pods, sorted by task and index."""
    selector = f"{JOB_NAME}={job}" + (f",{TASK_SPEC}={arguments.task}" if arguments.task else "")
    found = [pod async for pod in session.api.list(POD, session.namespace, label_selector=selector)]
    return sorted(found, key=task_order)


def _request(arguments: argparse.Namespace, pod: Body, *, follow: bool) -> Request:
    return log_request(pod, arguments.container, follow=follow, tail=arguments.tail)


def _check_container(name: str, job: str, pods: list[Body]) -> None:
    """Raises CliError if no pod has a container of that name."""
    names = container_names(pods)
    if name and name not in names:
        said = f'no container named "{name}" in the pods of Job {job}{did_you_mean(name, names)}'
        raise CliError(said, Exit.NOT_FOUND, f"containers: {', '.join(names)}")


async def _why_no_pods(session: Session, job: str) -> str:
    """The cause from the Job's status, if the Job can be read."""
    try:
        body = await session.api.get(JOB, session.namespace, job)
    except NotFound:
        return "the Job does not exist any more"
    state = (body.get("status") or {}).get("state") or {}
    said = ": ".join(part for part in (state.get("phase"), state.get("reason"), state.get("message")) if part)
    return f"the Job is {said}" if said else "the controller has not created them yet"


async def _print(session: Session, arguments: argparse.Namespace, pod: Body, *, prefix: bool) -> bool:
    """Print the pod's log and return whether it has one (it may be empty).

    Otherwise, and if containers have problems, print the cause.
    """
    answer = await session.transport.send(_request(arguments, pod, follow=False), _SECONDS)
    why = why_no_logs(pod)
    if answer.code == BadRequest.code:  # no log yet; other pods may have one
        note(f"{pod['metadata']['name']}: {why or error_of(answer.code, answer.body).message}")
        return False
    if answer.code >= 300:
        raise error_of(answer.code, answer.body)
    _write(answer.body, pod["metadata"]["name"] if prefix else "")
    if why:
        note(f"{pod['metadata']['name']}: {why}")
    return bool(answer.body) or (pod.get("status") or {}).get("phase") in STARTED


def _write(data: bytes, prefix: str) -> None:
    text = data.decode("utf-8", "replace")
    if prefix:
        text = "".join(f"[{prefix}] {line}" for line in text.splitlines(keepends=True))
    sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")
    sys.stdout.flush()


class _Follower:
    """Reads every pod of the Job as it starts, until the Job has ended and everything is read."""

    def __init__(self, session: Session, arguments: argparse.Namespace, job: str) -> None:
        self._session = session
        self._arguments = arguments
        self._job = job
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._reported: dict[str, str] = {}

    async def run(self) -> None:
        while True:
            over = await self._over()
            pods = await _pods(self._session, self._arguments, self._job)
            if pods:
                _check_container(self._arguments.container, self._job, pods)
            for pod in pods:
                uid = pod["metadata"]["uid"]
                if uid not in self._reading and (pod.get("status") or {}).get("phase") in STARTED:
                    self._reading[uid] = asyncio.create_task(self._read(pod, prefix=len(pods) > 1))
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

    async def _over(self) -> bool:
        try:
            job = await self._session.api.get(JOB, self._session.namespace, self._job)
        except NotFound:
            return True
        return ((job.get("status") or {}).get("state") or {}).get("phase") in _ENDED

    async def _read(self, pod: Body, *, prefix: bool) -> None:
        name = pod["metadata"]["name"]
        request = _request(self._arguments, pod, follow=True)
        try:
            async with self._session.transport.stream(request, _QUIET) as (code, content, _):
                if code >= 300:
                    raise error_of(code, await content.read())
                while line := await content.readline():
                    _write(line, name if prefix else "")
        except ApiError as error:
            note(f"{name}: {error.message}")
