"""ValidatingAdmissionPolicies that refuse broken graphs in the API server itself, also while no webhook answers.

`expressions` has the CEL of a graph, `policies` the objects, and `python -m webhook.structure` generates the chart's file.
The webhook judges the same faults with paths and hints; `faults` tells whether an object has one of them.
"""
