"""The ValidatingAdmissionPolicies and their bindings, as the chart installs them."""

from collections.abc import Sequence
from typing import Final

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from webhook.structure import expressions
from webhook.structure.expressions import GraphFields

FLOW_GRAPH: Final = GraphFields(
    nodes="(has(object.spec) && has(object.spec.flows) ? object.spec.flows : [])",
    name="n.name",
    targets="(has(n.dependsOn) && has(n.dependsOn.targets) ? n.dependsOn.targets : [])",
    path="spec.flows",
    what="step",
    field="dependsOn.targets",
)
JOB_GRAPH: Final = GraphFields(
    nodes="(has(object.spec) && has(object.spec.tasks) ? object.spec.tasks : [])",
    name="(has(n.name) ? n.name : '')",
    targets="(has(n.dependsOn) && has(n.dependsOn.name) ? n.dependsOn.name : [])",
    path="spec.tasks",
    what="task",
    field="dependsOn.name",
)
MOST_STEPS: Final = 200
MOST_STEP_EDGES: Final = 4000
MOST_TASKS: Final = 100
MOST_TASK_EDGES: Final = 1000
_LIVING: Final = ("not-being-deleted", "!has(object.metadata.deletionTimestamp)")
_SPEC_CHANGED: Final = (
    "spec-changed",
    "request.operation == 'CREATE' || !has(oldObject.spec) || !has(object.spec) || object.spec != oldObject.spec",
)
_NAMED: Final = ("tasks-are-named", f"{JOB_GRAPH.nodes}.all(n, has(n.name) && n.name != '')")
_REPLICAS: Final = "(has(n.replicas) ? n.replicas : 0)"
_TOTAL: Final = f"variables.nodes.map(n, {_REPLICAS}).sum()"
_MINIMUMS: Final = (
    f"variables.nodes.filter(n, has(n.minAvailable) && n.minAvailable > {_REPLICAS})"
    f""".map(n, 'spec.tasks: task "' + n.name + '": minAvailable ' + string(n.minAvailable) + """
    f"' is greater than replicas ' + string({_REPLICAS})) + "
    f"(size(variables.nodes) > 0 && has(object.spec.minAvailable) && object.spec.minAvailable > {_TOTAL} ? "
    f"['spec.minAvailable: ' + string(object.spec.minAvailable) + ' is greater than the replicas of all tasks, ' + "
    f"string({_TOTAL})] : [])"
)


def policies() -> list[Body]:
    """The ValidatingAdmissionPolicies; the chart adds labels and the release to the names.

    An update of a Job may only change counts, so its graph is judged on creation, as the webhook does.
    """
    job_faults = f"(request.operation == 'CREATE' ? variables.faults : []) + {_MINIMUMS}"
    return [
        _policy(
            kinds.JOBFLOW,
            (_LIVING, _SPEC_CHANGED, _small(FLOW_GRAPH, MOST_STEPS, MOST_STEP_EDGES)),
            expressions.variables(FLOW_GRAPH),
            "variables.faults",
        ),
        _policy(
            kinds.JOB,
            (_LIVING, _SPEC_CHANGED, _NAMED, _small(JOB_GRAPH, MOST_TASKS, MOST_TASK_EDGES)),
            [*expressions.variables(JOB_GRAPH), ("allFaults", job_faults)],
            "variables.allFaults",
        ),
    ]


def _small(graph: GraphFields, nodes: int, edges: int) -> tuple[str, str]:
    return "small-enough", expressions.size_limit(graph, nodes, edges)


def _policy(
    kind: Kind, conditions: Sequence[tuple[str, str]], variables: Sequence[tuple[str, str]], faults: str
) -> Body:
    """`faults`: CEL of a list of sentences. An expression that exceeds the API server's limits lets the object pass."""
    rule = {
        "apiGroups": [kind.group],
        "apiVersions": [kind.version],
        "operations": ["CREATE", "UPDATE"],
        "resources": [kind.plural],
    }
    text = f"{faults}.join('; ')"
    most = expressions.MOST_TEXT
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": kind.plural},
        "spec": {
            "failurePolicy": "Ignore",
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [_named(*condition) for condition in conditions],
            "variables": [_named(*variable) for variable in variables],
            "validations": [
                {
                    "expression": f"size({faults}) == 0",
                    "messageExpression": f"size({text}) > {most} ? {text}.substring(0, {most}) + ' ...' : {text}",
                    "message": f"the graph of the {kind.kind} is not valid",
                    "reason": "Invalid",
                }
            ],
        },
    }


def _named(name: str, expression: str) -> Body:
    return {"name": name, "expression": expression}
