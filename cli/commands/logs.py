"""`logs NAME/STEP`: the logs of the pods of the step's latest Job, or of the object that it created instead."""

import argparse
import asyncio
import sys
from typing import Final

import msgspec

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.follow import sub_flows
from cli.output import note
from drawing.nested import latest_flow
from shared.kinds import JOB, JOBFLOW, POD
from shared.kube.client.errors import ApiError, BadRequest, NotFound, error_of
from shared.kube.client.requests import Request
from shared.kube.owned_pods import kind_served, pods_below
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


class _Source(msgspec.Struct, frozen=True):
    """What the pods belong to. `manifest`: that of a step with `resource`; None for a Job. `flow`, `step`: who created it."""

    name: str
    manifest: Body | None
    flow: str
    step: str

    def __str__(self) -> str:
        return f"{(self.manifest or {}).get('kind') or 'Job'} {self.name}"


def run(arguments: argparse.Namespace) -> int:
    flow, slash, step = arguments.step.partition("/")
    if not slash or not flow or not step:
        raise CliError(f'"{arguments.step}": must be NAME/STEP, such as "nightly/train"')

    async def work(session: Session) -> int:
        source = await _source(session, arguments.job, flow, step)
        if arguments.follow:
            await _Follower(session, arguments, source).run()
            return Exit.OK
        pods = await _pods(session, arguments, source)
        if not pods:
            raise CliError(f"{source} has no pods", Exit.NOT_FOUND, await _why_no_pods(session, source))
        _check_container(arguments.container, source, pods)
        printed = [await _print(session, arguments, pod, prefix=len(pods) > 1) for pod in pods]
        return Exit.OK if any(printed) else Exit.NO

    return live(arguments, work)


async def _source(session: Session, given: str, flow: str, path: str) -> _Source:
    """`given`: the name of a Job, whose flow may be gone; "" for the latest one of the step."""
    try:
        return await _source_in(session, await session.api.get(JOBFLOW, session.namespace, flow), path, given)
    except (NotFound, CliError):
        if not given:
            raise
        return _Source(given, None, flow, path)


async def _source_in(session: Session, flow: Body, path: str, given: str) -> _Source:
    """The latest Job of a step, or the one that is named; `path` leads through steps that run flows: STEP/STEP, or STEP[2]/STEP in a loop."""
    step, slash, rest = path.partition("/")
    name, index = _indexed(step)
    if not slash:
        if any(one.get("name") == name and one.get("flow") for one in _steps(flow)):
            raise CliError(_inner_steps(flow, name), Exit.USAGE, "jobflow status shows them")
        manifest = next((one["resource"]["manifest"] for one in _steps(flow) if _creates(one, name)), None)
        return _Source(given or latest_job(flow, name), manifest, flow["metadata"]["name"], name)
    latest_job(flow, name)  # says so if there is no such step, or if it has not begun
    child = latest_flow(flow, name, index, await sub_flows(session, flow))
    if child is None:
        raise CliError(f"step {step} has no flow of which to show steps", Exit.NOT_FOUND)
    return await _source_in(session, child, rest, given)


def _creates(step: Body, name: str) -> bool:
    """Whether it is the step of that name and creates an object of another kind than Job."""
    return bool(step.get("name") == name and (step.get("resource") or {}).get("manifest"))


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


async def _pods(session: Session, arguments: argparse.Namespace, source: _Source) -> list[Body]:
    """The Job's pods, sorted by task and index; those below an object of another kind, by name."""
    if source.manifest is not None:
        if arguments.task:
            raise CliError(f"--task: {source} has no tasks; --container chooses a container", Exit.USAGE)
        body = await _read(session, source)
        return await pods_below(session.api, body) if body else []
    job = source.name
    selector = f"{JOB_NAME}={job}" + (f",{TASK_SPEC}={arguments.task}" if arguments.task else "")
    found = [pod async for pod in session.api.list(POD, session.namespace, label_selector=selector)]
    return sorted(found, key=task_order)


def _request(arguments: argparse.Namespace, pod: Body, *, follow: bool) -> Request:
    return log_request(pod, arguments.container, follow=follow, tail=arguments.tail)


async def _read(session: Session, source: _Source) -> Body | None:
    """The Job, or the object of another kind; None if it does not exist, or not any more."""
    named = source.manifest
    kind = JOB if named is None else await kind_served(session.api, str(named["apiVersion"]), str(named["kind"]))
    try:
        return await session.api.get(kind, session.namespace, source.name) if kind is not None else None
    except NotFound:
        return None


def _check_container(name: str, source: _Source, pods: list[Body]) -> None:
    """Raises CliError if no pod has a container of that name."""
    names = container_names(pods)
    if name and name not in names:
        said = f'no container named "{name}" in the pods of {source}{did_you_mean(name, names)}'
        raise CliError(said, Exit.NOT_FOUND, f"containers: {', '.join(names)}")


async def _why_no_pods(session: Session, source: _Source) -> str:
    """The cause from the Job's status, if the Job can be read."""
    body = await _read(session, source)
    if body is None:
        return f"the {str(source).partition(' ')[0]} does not exist any more"
    if source.manifest is not None:
        return "nothing that it owns has created any"
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
    """Reads every pod as it starts, until the Job or the step of another kind has ended and everything is read."""

    def __init__(self, session: Session, arguments: argparse.Namespace, source: _Source) -> None:
        self._session = session
        self._arguments = arguments
        self._source = source
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._reported: dict[str, str] = {}

    async def run(self) -> None:
        while True:
            over = await self._over()
            pods = await _pods(self._session, self._arguments, self._source)
            if pods:
                _check_container(self._arguments.container, self._source, pods)
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
        body = await _read(self._session, self._source)
        if body is None:
            return True
        if self._source.manifest is None:
            return ((body.get("status") or {}).get("state") or {}).get("phase") in _ENDED
        flow = await self._session.api.get(JOBFLOW, self._session.namespace, self._source.flow)
        steps = (flow.get("status") or {}).get("steps") or ()
        state: Body = next((one for one in steps if one.get("name") == self._source.step), {})
        return self._source.name not in (state.get("jobs") or ()) or bool(state.get("completionTime"))

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
