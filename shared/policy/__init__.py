"""JobFlowPolicies: compiled, matched and held against objects (jobflow-api.md 9). Pure: the webhook, the controller's scan
and `jobflow lint --policy` ask the same question and get the same answer.

`Compiler().compile(bodies)` gives the policies; `judge(given, policies)` the Findings about one object,
`defaults(given, policies)` the fields that they set.
"""

from shared.policy.compile import CompiledPolicy, Compiler, Policies, compile_policy
from shared.policy.defaults import Default, defaults
from shared.policy.evaluate import Finding, judge, relevant
from shared.policy.given import Given

__all__ = [
    "CompiledPolicy",
    "Compiler",
    "Default",
    "Finding",
    "Given",
    "Policies",
    "compile_policy",
    "defaults",
    "judge",
    "relevant",
]
