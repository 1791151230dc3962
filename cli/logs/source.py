"""What `logs` reads: the Job that a step created last, or the object of another kind, and its pods."""

from typing import Final

import msgspec

from cli.client import Session
from cli.exits import CliError, Exit
from cli.reads.sub_flows import sub_flows
from drawing.nested import latest_flow
from shared.kinds import JOB, JOBFLOW
from shared.kube.client.errors import NotFound
from shared.kube.owned_pods import pods_below, read_object
from shared.kube.pod_logs import container_names, pods_of_job
from shared.model.phases import JobPhase, StepPhase
from shared.model.step import manifest_of, raw_steps
from shared.model.types import Body
from webhook.hints.names import did_you_mean

_LISTED: Final = 20  # steps in an error
_ENDED: Final = frozenset(phase for phase in JobPhase if phase.finished)


class LogSource(msgspec.Struct, frozen=True):
    """What the pods belong to. `manifest`: that of a step with `resource`; None for a Job. `flow`, `step`: who created it."""

    name: str
    manifest: Body | None
    flow: str
    step: str

    def __str__(self) -> str:
        return f"{(self.manifest or {}).get('kind') or 'Job'} {self.name}"


async def log_source(session: Session, given: str, flow: str, path: str) -> LogSource:
    """`given`: the name of a Job, whose flow may be gone; "" for the latest one of the step. Raises CliError for a step that
    the flow does not have.
    """
    try:
        body = await session.api.get(JOBFLOW, session.namespace, flow)
    except NotFound:
        if not given:
            raise
        return LogSource(given, None, flow, path)
    return await _source_in(session, body, path, given)


async def _source_in(session: Session, flow: Body, path: str, given: str) -> LogSource:
    """The latest Job of a step, or the one that is named.

    `path` leads through steps that run flows: STEP/STEP, or STEP[2]/STEP in a loop.
    """
    step, slash, rest = path.partition("/")
    name, index = _indexed(step)
    _check_step(flow, name)
    if not slash:
        if any(one.get("name") == name and one.get("flow") for one in raw_steps(flow)):
            raise CliError(_inner_steps(flow, name), Exit.USAGE, "jobflow status shows them")
        return LogSource(given or _latest_job(flow, name), manifest_of(flow, name), flow["metadata"]["name"], name)
    child = latest_flow(flow, name, index, await sub_flows(session, flow))
    if child is None and given:  # it may be gone, as the flow may
        return LogSource(given, None, flow["metadata"]["name"], path)
    _latest_job(flow, name)  # says so if it has not begun
    if child is None:
        raise CliError(f"step {step} has no flow of which to show steps", Exit.NOT_FOUND)
    return await _source_in(session, child, rest, given)


def _indexed(step: str) -> tuple[str, int | None]:
    """`region[2]`: the step and the iteration."""
    name, bracket, index = step.partition("[")
    number = index.removesuffix("]")
    return (name, int(number)) if bracket and number.isascii() and number.isdigit() else (step, None)


def _check_step(flow: Body, step: str) -> None:
    """Raises CliError if the flow has no such step, now or in its status."""
    states = (flow.get("status") or {}).get("steps") or ()
    names = list(dict.fromkeys(str(each.get("name")) for each in (*raw_steps(flow), *states)))
    if step not in names:
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        hint = f"steps of {flow['metadata']['name']}: {', '.join(names[:_LISTED])}{more}"
        raise CliError(f'no step named "{step}"{did_you_mean(step, names)}', Exit.NOT_FOUND, hint)


def _latest_job(flow: Body, step: str) -> str:
    """The name of the Job that the step created last. Raises CliError."""
    status = flow.get("status") or {}
    state: Body = next((each for each in status.get("steps") or () if each["name"] == step), {})
    if not state.get("jobs"):
        raise CliError(f"step {step} {_why_no_job(state)}", Exit.NOT_FOUND)
    return str(state["jobs"][-1])


def _why_no_job(state: Body) -> str:
    phase = StepPhase(state.get("phase") or StepPhase.WAITING)
    why = ": ".join(part for part in (str(phase), state.get("reason"), state.get("message")) if part)
    return f"has created no Job ({why})" if phase.ended else f"has not created a Job yet ({why})"


def _inner_steps(flow: Body, name: str) -> str:
    return f"step {name} runs a flow: name a step of it, such as {flow['metadata']['name']}/{name}/STEP"


async def source_pods(session: Session, source: LogSource, task: str) -> list[Body]:
    """The Job's pods, sorted by task and index; those below an object of another kind, by name."""
    if source.manifest is not None:
        if task:
            raise CliError(f"--task: {source} has no tasks; --container chooses a container", Exit.USAGE)
        body = await source_body(session, source)
        return await pods_below(session.api, body) if body else []
    return await pods_of_job(session.api, session.namespace, source.name, task)


async def source_body(session: Session, source: LogSource) -> Body | None:
    """The Job, or the object of another kind; None if it does not exist, or not any more."""
    if source.manifest is not None:
        return await read_object(session.api, source.manifest, session.namespace, source.name)
    try:
        return await session.api.get(JOB, session.namespace, source.name)
    except NotFound:
        return None


async def source_ended(session: Session, source: LogSource) -> bool:
    """Whether the Job, or the step of another kind, has ended; also if it does not exist any more."""
    body = await source_body(session, source)
    if body is None:
        return True
    if source.manifest is None:
        return ((body.get("status") or {}).get("state") or {}).get("phase") in _ENDED
    flow = await session.api.get(JOBFLOW, session.namespace, source.flow)
    steps = (flow.get("status") or {}).get("steps") or ()
    state: Body = next((one for one in steps if one.get("name") == source.step), {})
    return source.name not in (state.get("jobs") or ()) or bool(state.get("completionTime"))


def check_container(name: str, source: LogSource, pods: list[Body]) -> None:
    """Raises CliError if no pod has a container of that name."""
    names = container_names(pods)
    if name and name not in names:
        said = f'no container named "{name}" in the pods of {source}{did_you_mean(name, names)}'
        raise CliError(said, Exit.NOT_FOUND, f"containers: {', '.join(names)}")


async def why_no_pods(session: Session, source: LogSource) -> str:
    """The cause from the Job's status, if the Job can be read."""
    body = await source_body(session, source)
    if body is None:
        return f"the {str(source).partition(' ')[0]} does not exist any more"
    if source.manifest is not None:
        return "nothing that it owns has created any"
    state = (body.get("status") or {}).get("state") or {}
    said = ": ".join(part for part in (state.get("phase"), state.get("reason"), state.get("message")) if part)
    return f"the Job is {said}" if said else "the controller has not created them yet"
