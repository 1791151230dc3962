"""Whether the users who requested a flow may create what its steps create (shared/resource_steps/rights.py)."""

from typing import Final

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import GateResult, StepWait, fail
from shared.kinds import Kind
from shared.model.step import Step
from shared.model.types import Body
from shared.names import FLOW_TEMPLATE, RESOURCE_KINDS
from shared.resource_steps.rights import Claim, kinds_in, read_claim, step_claim, verbs_of, write_claim
from shared.timestamp import epoch_or_none

_POLL: Final = 5.0  # seconds between checks whether the policy exists


def without_right(context: FlowContext, kind: Kind, step: Step) -> GateResult | None:
    """Why the step may not create its object, which is of `kind`; None: it may."""
    granted, needed = context.observed.granted, step_claim(kind, step)
    if not granted.checked or needed <= granted.claim:
        return None
    if granted.missing:
        context.wake_at(context.now + _POLL)
        said = f"rights to create {_names(needed)} are not checked: {granted.missing}"
        return StepWait((said,), reasons.RIGHTS_NOT_CHECKED, said)
    metadata = context.observed.flow.metadata
    remedy = f"set its annotation {RESOURCE_KINDS} to {write_claim(needed | granted.claim)}"
    if metadata.annotations.get(FLOW_TEMPLATE) or context.observed.parents:
        said = (
            f"the object is {_names(needed)}, which was not asked for when the flow, its template or its schedule was"
            f" applied: a user who may {verbs_of(needed)} it must apply them again"
        )
        return fail(reasons.TEMPLATE_CHANGED, said)
    said = (
        f"it was not checked who may create {_names(needed)}: a user who may {verbs_of(needed)} it can create the flow again,"
        f" or {remedy} and retry the flow"
    )
    return fail(reasons.RIGHTS_NOT_CHECKED, said)


def claim_below(context: FlowContext, template: Body | None) -> dict[str, str]:
    """The annotation of a flow that a step creates: what this flow may create, and who wrote the template."""
    granted = context.observed.granted
    claim = granted.claim
    if template is not None:
        metadata = template["metadata"]
        compared = (epoch_or_none(metadata.get("creationTimestamp")) or 0.0) >= granted.since
        claim = claim & read_claim(metadata.get("annotations")) if compared else frozenset()
    return {RESOURCE_KINDS: write_claim(claim)} if claim else {}


def _names(claim: Claim) -> str:
    return ", ".join(kinds_in(claim))
