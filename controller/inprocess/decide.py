"""Decides `status.inProcess` of a JobFlowPolicy, which the chart's ValidatingAdmissionPolicies read. Pure."""

from typing import Final

from controller.decision import Decision
from shared.model.policy import InProcessRules, LeftToWebhook
from shared.model.types import Body
from shared.policy import CompiledPolicy
from shared.policy.in_process import EVERYTHING, DefaultedFields, in_process, status_of

FIELD: Final = "inProcess"
_INVALID: Final = InProcessRules(webhook_only=(LeftToWebhook(rule=EVERYTHING, why="the policy is not valid"),))


def decide(policy: Body, compiled: CompiledPolicy | None, defaulted: DefaultedFields, *, installed: bool) -> Decision:
    """The new status. `compiled`: None if the policy is not valid; `defaulted`: what all policies set; `installed`:
    whether the API server has the policies of the chart.
    """
    if "deletionTimestamp" in policy["metadata"]:
        return Decision()
    status = policy.get("status") or {}
    wanted = {key: value for key, value in status.items() if key != FIELD}
    if installed:
        rules = _INVALID if compiled is None else in_process(compiled, defaulted)
        wanted[FIELD] = status_of(rules, policy["metadata"].get("generation"))
    return Decision() if wanted == status else Decision(status=wanted)
