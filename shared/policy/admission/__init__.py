"""CEL by which ValidatingAdmissionPolicies apply JobFlowPolicies: those of the chart, and those made for `rules`.

`matching` has the CEL of whether a policy applies, `sides` the names of what it reads of the new and of the stored object,
`own_rules` decides which `rules` of a policy the API server can evaluate.
"""
