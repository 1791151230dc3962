"""Warnings on deletion of a JobFlow. Deletion is always allowed: a refusal would block the deletion of namespaces."""

from collections.abc import Iterator

from shared.model.phases import FlowPhase
from webhook.subject.subjects import FlowSubject, body_or_empty

_OVER = (FlowPhase.SUCCEED, FlowPhase.FAILED, FlowPhase.TERMINATING)


def jobs_that_go_with_the_flow(flow: FlowSubject) -> Iterator[str]:
    """Warn if the flow has started and not ended."""
    status = body_or_empty(flow.raw.get("status"))
    phase = body_or_empty(status.get("state")).get("phase")
    if phase and phase not in _OVER:
        yield f"JobFlow {flow.name} has not ended ({phase}, {status.get('progress') or '0'} steps): its Jobs will be deleted"
