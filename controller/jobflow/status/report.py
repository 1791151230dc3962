"""What a pass writes about a flow: its new status and Events, or the moment at which that is written.

Decisions continue from the new status at once; only readers of the API server see a deferred one later.
"""

import msgspec

from controller.decision import Note
from controller.jobflow.model.context import FlowContext
from controller.jobflow.status.event_messages import event_messages
from controller.jobflow.status.flow_status import carried, flow_status
from controller.jobflow.status.status_limits import limit_status
from controller.jobflow.status.status_throttle import counts_deferred_until, deferred_until
from shared.model.flow_status import JobFlowStatus
from shared.model.phases import StepPhase
from shared.model.types import Body


class StatusReport(msgspec.Struct, frozen=True):
    """`status`: where the next decision starts; `body`: the status to write, None for no write; `events`: to record
    after the write; `deferred_until`: epoch seconds at which a deferred status is written, 0 when none is deferred."""

    status: JobFlowStatus
    body: Body | None = None
    events: tuple[Note, ...] = ()
    deferred_until: float = 0.0


def report(context: FlowContext) -> StatusReport:
    """The status after this pass, to be written now or later."""
    if moment := deferred_until(context):
        return StatusReport(carried(context), deferred_until=moment)
    stored, new = context.observed.stored, limit_status(flow_status(context))
    if new == stored:
        return StatusReport(stored)
    if moment := counts_deferred_until(context, new):
        return StatusReport(carried(context), deferred_until=moment)
    return StatusReport(new, _status_body(new), tuple(event_messages(stored, new)))


def _status_body(new: JobFlowStatus) -> Body:
    """The status as it is written. A waiting step has its phase written out, though it is the default, for readers."""
    body: Body = msgspec.to_builtins(new)
    for step in body.get("steps", ()):
        step.setdefault("phase", StepPhase.WAITING.value)
    return body
