"""A Job whose queue takes no Jobs is not created: the API server would refuse it until somebody opens the queue."""

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepWait
from shared.model.phases import QueueState
from shared.model.types import Body
from shared.names import DEFAULT_QUEUE

_SHUT = (QueueState.CLOSED, QueueState.CLOSING)


def closed_queue(context: FlowContext, job: Body) -> StepWait | None:
    """The wait for the queue of `job`; None: it is open, or its state is not known."""
    queue = job["spec"].get("queue") or DEFAULT_QUEUE
    state = context.observed.queue_states.get(queue, "")
    if state in ("", QueueState.OPEN):
        return None
    said = f"queue {queue} is {state.lower() if state in _SHUT else f'in state {state}'}"
    return StepWait((said,), reasons.QUEUE_CLOSED, said)
