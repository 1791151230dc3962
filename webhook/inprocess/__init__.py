"""ValidatingAdmissionPolicies that enforce JobFlowPolicies in the API server itself, also while no webhook answers.

They are static: a JobFlowPolicy is their parameter, and its `status.inProcess` tells which checks they make of it (see
shared.policy.in_process). `matching` has the CEL of whether a policy applies, `values` that of what an object uses,
`checks` a list of sentences for each check, `admission_policies` the objects. `python -m webhook.inprocess` generates the
chart's file.
"""
