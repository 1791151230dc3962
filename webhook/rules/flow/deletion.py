"""What goes when a JobFlow is deleted. Allowed at any time, since a refusal would leave namespaces stuck (decisions row 27)."""

from collections.abc import Iterator

from shared.model.phases import FlowPhase
from webhook.subject.subjects import FlowSubject, body_or_empty

_OVER = (FlowPhase.SUCCEED, FlowPhase.FAILED, FlowPhase.TERMINATING)


def jobs_that_go_with_the_flow(flow: FlowSubject) -> Iterator[str]:
    """A warning about a flow that has begun and not ended."""
    status = body_or_empty(flow.raw.get("status"))
    phase = body_or_empty(status.get("state")).get("phase")
    if phase and phase not in _OVER:
        yield f"JobFlow {flow.name} has not ended ({phase}, {status.get('progress') or '0'} steps): its Jobs go with it"
