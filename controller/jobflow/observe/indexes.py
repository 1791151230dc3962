"""The cache indexes of JobFlows: by the templates that they use, and by what a step waits for."""

from collections.abc import Iterator
from typing import Final

from controller.jobflow import reasons
from shared.key import Key
from shared.model.step import flow_template_of, job_template_of, raw_steps
from shared.model.types import Body

USES: Final = "uses-template"
USES_FLOW: Final = "uses-flow-template"
WAITS: Final = "waits-for"
FOR_QUEUE: Final = "queue"
FOR_APPROVAL: Final = "approval"


def index_by_template(flow: Body) -> Iterator[str]:
    """The JobTemplates that an unfinished flow uses, as NAMESPACE/NAME."""
    for step in _unfinished_steps(flow):
        if name := job_template_of(step):
            yield _in_namespace(flow, name)


def index_by_flow_template(flow: Body) -> Iterator[str]:
    """The JobFlowTemplates that an unfinished flow uses itself, as NAMESPACE/NAME."""
    for step in _unfinished_steps(flow):
        if name := flow_template_of(step):
            yield _in_namespace(flow, name)


def _unfinished_steps(flow: Body) -> tuple[Body, ...]:
    """The steps of a flow that has not ended."""
    return () if (flow.get("status") or {}).get("completionTime") else raw_steps(flow)


def _in_namespace(flow: Body, name: str) -> str:
    return str(Key(flow["metadata"].get("namespace", ""), name))


def index_by_wait(flow: Body) -> Iterator[str]:
    """What a flow or steps of it wait for. FOR_QUEUE: a step has no Job because of its queue, or because the Job was
    rejected."""
    status = flow.get("status") or {}
    steps = () if status.get("completionTime") else status.get("steps") or ()
    if any(step.get("reason") in (reasons.QUEUE_CLOSED, reasons.JOB_REJECTED) for step in steps):
        yield FOR_QUEUE
    if any(step.get("reason") == reasons.WAITING_FOR_APPROVAL for step in steps):
        yield FOR_APPROVAL
