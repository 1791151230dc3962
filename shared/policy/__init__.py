"""JobFlowPolicies: compiled, matched and held against objects (jobflow-api.md 9). Pure: the webhook, the controller's scan
and `jobflow lint --policy` ask the same question and get the same answer.

`Compiler().compile(bodies)` gives the policies; `judge(context, policies)` the PolicyFindings about one object,
`defaults(context, policies)` the fields that they set.
"""

from shared.policy.compile import CompiledPolicy, Compiler, Policies, compile_policy
from shared.policy.context import PolicyContext
from shared.policy.defaults import Default, defaults
from shared.policy.evaluate import PolicyFinding, judge, relevant

__all__ = [
    "CompiledPolicy",
    "Compiler",
    "Default",
    "Policies",
    "PolicyContext",
    "PolicyFinding",
    "compile_policy",
    "defaults",
    "judge",
    "relevant",
]
