"""Evaluates JobFlowPolicies: compiles them, matches them with objects, and finds violations and defaults.

Pure, and used by the webhook, the controller's scan and `jobflow lint --policy`, which therefore agree.
`Compiler().compile(bodies)` gives the policies, `judge(context, policies)` the PolicyFindings about one object, and
`defaults(context, policies)` the fields that they set. See docs/design/jobflow-api.md, section 9.
"""

from shared.policy.compiled.policy import CompiledPolicy, Compiler, Policies, compile_policy
from shared.policy.context import PolicyContext
from shared.policy.defaults import Default, defaults
from shared.policy.embedded import EMBEDDED, JUDGED, Embedded
from shared.policy.judging.finding import PolicyFinding
from shared.policy.judging.findings import judge, relevant
from shared.policy.request import request_variable

__all__ = [
    "EMBEDDED",
    "JUDGED",
    "CompiledPolicy",
    "Compiler",
    "Default",
    "Embedded",
    "Policies",
    "PolicyContext",
    "PolicyFinding",
    "compile_policy",
    "defaults",
    "judge",
    "relevant",
    "request_variable",
]
