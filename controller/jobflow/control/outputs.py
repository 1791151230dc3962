"""`outputs`: values read from termination messages when a Job has ended (docs/design/jobflow-api.md, section 5.4)."""

import contextlib
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from controller.jobflow.model.observed import ObservedChild, PodResults
from shared.model.step import Output, Step
from shared.names import MAX_FLOW_OUTPUT_BYTES, MAX_OUTPUT_BYTES


class MissingOutput(Exception):
    """A declared output was not produced, or is too long; the message says which and why."""


def collect(step: Step, job: ObservedChild, pods: PodResults, used: int) -> dict[str, str]:
    """The step's outputs. `used`: bytes that the flow's outputs take already. Raises MissingOutput."""
    values: dict[str, str] = {}
    for output in step.outputs:
        value = _value(output, _message(output, job, pods))
        if len(value.encode()) > MAX_OUTPUT_BYTES:
            raise MissingOutput(f'output "{output.name}" is longer than {MAX_OUTPUT_BYTES} bytes')
        values[output.name] = value
    if used + size(values.values()) > MAX_FLOW_OUTPUT_BYTES:
        raise MissingOutput(f"the flow's outputs would take more than {MAX_FLOW_OUTPUT_BYTES} bytes")
    return values


def available(step: Step, job: ObservedChild, pods: PodResults, used: int) -> dict[str, str]:
    """The outputs that a Job left although its attempt failed. Those that are missing or too long are left out."""
    values: dict[str, str] = {}
    for output in step.outputs:
        with contextlib.suppress(MissingOutput):
            values |= collect(replace(step, outputs=(output,)), job, pods, used + size(values.values()))
    return values


def size(values: Iterable[str]) -> int:
    """Bytes of some outputs."""
    return sum(len(value.encode()) for value in values)


def _message(output: Output, job: ObservedChild, pods: PodResults) -> str:
    task = output.task or (job.tasks[0].name if job.tasks else "")
    message = pods.messages.get((task, output.container))
    if message is None:
        container = f' container "{output.container}"' if output.container else ""
        raise MissingOutput(f'output "{output.name}": pod 0 of task "{task}" left no termination message{container}')
    if (task, output.container) in pods.cut:
        size = f"the termination message has {len(message.encode())} bytes, the most that Kubernetes keeps"
        raise MissingOutput(f'output "{output.name}": {size}; it may be cut, so it is not used')
    return message


def _value(output: Output, message: str) -> str:
    if not output.key:
        return message.strip()
    try:
        found = msgspec.json.decode(message)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        raise MissingOutput(f'output "{output.name}": the termination message is no JSON object')
    if output.key not in found:
        raise MissingOutput(f'output "{output.name}": the termination message has no key "{output.key}"')
    return text(found[output.key])


def text(value: object) -> str:
    """A JSON value as an output: strings as they are, everything else as JSON writes it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
