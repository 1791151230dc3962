"""Rules of loops, probes, patches and references of a JobFlow: what is refused, and with which message."""

import pytest

from shared.model.types import Body
from shared.podtemplate.expansion import OPEN_REFERENCE
from tests.webhook.make import faults, flow, step
from tests.webhook.rules.flow.parts import PARAM, TEMPLATE, loop, patched, pod, probe
from webhook.hints.names import IDENTIFIER_FAULT

REFUSED_PARTS: dict[str, tuple[Body, list[str]]] = {
    "a loop without a source": (
        loop(),
        ["spec.flows[0].for: Required value: exactly one of items, matrix, range, expression and while must be set"],
    ),
    "a loop with two sources": (
        loop(items=["a"], range={"end": 3}),
        ["spec.flows[0].for.range: Forbidden: exactly one source may be set, and items is already set"],
    ),
    "keys of items that no expression can name": (
        loop(items=[{"a-b": "1"}]),
        [f'spec.flows[0].for.items[0]: Invalid value: "a-b": {IDENTIFIER_FAULT}'],
    ),
    "a matrix with an empty list": (
        loop(matrix={"a": [], "b": ["1"]}),
        ["spec.flows[0].for.matrix.a: Required value: must not be empty: the step would run no iteration"],
    ),
    "a range that does not advance": (
        loop(range={"end": 3, "step": 0}),
        ["spec.flows[0].for.range.step: Invalid value: 0: must not be 0: the range would never end"],
    ),
    "too many iterations": (
        loop(matrix={"a": [str(n) for n in range(20)], "b": [str(n) for n in range(20)]}),
        ["spec.flows[0].for: Too many: 400: at most 100 iterations are allowed (maxIterations, up to 2000)"],
    ),
    "a while that is parallel": (
        loop(**{"while": "true", "parallelism": 2}),
        [
            (
                "spec.flows[0].for.parallelism: Invalid value: 2: iterations of `while` run one after another: remove parallelism"
            )
        ],
    ),
    "a tolerance that is no number": (
        loop(items=["a"], tolerate="some"),
        [
            (
                'spec.flows[0].for.tolerate: Invalid value: "some": must be a number of iterations, such as 3, or a share of them, such as "10%"'
            )
        ],
    ),
    "a negative tolerance": (
        loop(items=["a"], tolerate=-1),
        [
            (
                'spec.flows[0].for.tolerate: Invalid value: -1: must be a number of iterations, such as 3, or a share of them, such as "10%"'
            )
        ],
    ),
    "a tolerated share above all": (
        loop(items=["a"], tolerate="101%"),
        ['spec.flows[0].for.tolerate: Invalid value: "101%": a share must be at most 100%'],
    ),
    "a while with fields of items": (
        loop(**{"while": "true", "if": "true", "failFast": True, "tolerate": "5%"}),
        [
            (
                'spec.flows[0].for.tolerate: Invalid value: "5%": the number of iterations of `while` is not known, so a percentage is not possible: set a number'
            ),
            "spec.flows[0].for.if: Forbidden: `while` has no items: put the condition into `while`",
            (
                "spec.flows[0].for.failFast: Forbidden: iterations of `while` run one after another, and the first failure ends the loop: set tolerate to continue after failures"
            ),
        ],
    ),
    "more Jobs than a flow makes": (
        flow(*(step(f"s{n}", **{"for": {"range": {"end": 2000}, "maxIterations": 2000}}) for n in range(6))),
        ["spec.flows: Too many: 12000: a flow can create at most 10000 Jobs"],
    ),
    "a probe without targets": (
        flow(step("b", dependsOn={"probe": {"tcpSocketList": [{"taskName": "w", "port": 80}]}})),
        [
            (
                "spec.flows[0].dependsOn.targets: Required value: a probe checks pods of the steps that it depends on: name these steps"
            )
        ],
    ),
    "a probe of nothing": (
        probe(),
        [
            (
                "spec.flows[1].dependsOn.probe: Required value: set at least one of httpGetList, tcpSocketList and taskStatusList"
            )
        ],
    ),
    "probes that could not be made": (
        probe(
            httpGetList=[{"port": 0, "path": "x\n", "httpHeader": {"name": "", "value": "v"}}],
            tcpSocketList=[{"taskName": "w", "port": 0}],
            taskStatusList=[{"taskName": "w", "phase": "Done"}],
        ),
        [
            "spec.flows[1].dependsOn.probe.httpGetList[0].taskName: Required value: set the name of a task of the target's Job",
            "spec.flows[1].dependsOn.probe.httpGetList[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.flows[1].dependsOn.probe.tcpSocketList[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.flows[1].dependsOn.probe.httpGetList[0].path: Invalid value: \"x\\n\": must begin with '/'",
            'spec.flows[1].dependsOn.probe.httpGetList[0].path: Invalid value: "x\\n": must not contain control characters',
            (
                'spec.flows[1].dependsOn.probe.httpGetList[0].httpHeader: Invalid value: "": needs a name; name and value must not contain control characters'
            ),
            (
                'spec.flows[1].dependsOn.probe.taskStatusList[0].phase: Unsupported value: "Done": supported values: '
                '"Pending", "Running", "Succeeded", "Failed"'
            ),
        ],
    ),
    "operations without or with too much of a value": (
        patched(
            {"op": "add", "path": "/queue"},
            {"op": "replace", "path": "/queue", "value": "a", "expression": "'b'"},
            {"op": "remove", "path": "/queue", "value": "a"},
        ),
        [
            "spec.flows[0].patch.jsonPatch[0].value: Required value: op add needs value or expression",
            (
                "spec.flows[0].patch.jsonPatch[1].expression: Forbidden: may not be set together with value: the "
                "expression's result is the value"
            ),
            "spec.flows[0].patch.jsonPatch[2].value: Forbidden: not allowed with op remove",
        ],
    ),
    "operations without or with a needless source": (
        patched({"op": "copy", "path": "/queue"}, {"op": "remove", "path": "/queue", "from": "/tasks"}),
        [
            "spec.flows[0].patch.jsonPatch[0].from: Required value: op copy needs from",
            "spec.flows[0].patch.jsonPatch[1].from: Forbidden: not allowed with op remove",
        ],
    ),
    "operations that point nowhere": (
        patched({"op": "remove", "path": "queue"}, {"op": "remove", "path": "/a~b"}, {"op": "remove", "path": ""}),
        [
            (
                "spec.flows[0].patch.jsonPatch[0].path: Invalid value: \"queue\": must be a JSON pointer: '' for the whole "
                "JobSpec, else it begins with '/', e.g. /tasks/0/replicas"
            ),
            (
                "spec.flows[0].patch.jsonPatch[1].path: Invalid value: \"/a~b\": '~' must be written ~0 and '/' within a "
                "name ~1 (RFC 6901)"
            ),
            'spec.flows[0].patch.jsonPatch[2].path: Invalid value: "": the whole JobSpec cannot be removed',
        ],
    ),
    "operations that write what no Job has": (
        patched(
            {"op": "add", "path": "/tasks/0/replica", "value": 3},
            {"op": "add", "path": "/quue", "expression": "'x'"},
            {"op": "add", "path": "/tasks/-", "value": {"name": "n", "replcas": 1, "template": {"any": {"thing": 1}}}},
            {"op": "add", "path": "/tasks/0/template/spec/any~1thing", "value": {"x": 1}},
            {"op": "add", "path": "/plugins/ssh", "value": []},
            {"op": "test", "path": "/ghost", "value": 1},
            {"op": "copy", "from": "/queue", "path": "/tasks/0/policies/0/zzz"},
        ),
        [
            (
                'spec.flows[0].patch.jsonPatch[0].path: Invalid value: "/tasks/0/replica": a Job has no field '
                'spec.tasks[0].replica; did you mean "replicas"?'
            ),
            (
                'spec.flows[0].patch.jsonPatch[1].path: Invalid value: "/quue": a Job has no field spec.quue; did you '
                'mean "queue"?'
            ),
            'spec.flows[0].patch.jsonPatch[2].value.replcas: Forbidden: unknown field; did you mean "replicas"?',
            (
                'spec.flows[0].patch.jsonPatch[6].path: Invalid value: "/tasks/0/policies/0/zzz": a Job has no field '
                "spec.tasks[0].policies[0].zzz; known there: action, event, events, exitCode, exitCodes, podConditions, timeout"
            ),
        ],
    ),
    "a patch of an unknown plugin and of a nameless task": (
        patched(jobSpec={"plugins": {"pytorhc": []}, "tasks": [{"replicas": 3}]}),
        [
            (
                'spec.flows[0].patch.jobSpec.plugins.pytorhc: Unsupported value: "pytorhc": unable to find job plugin '
                'pytorhc; did you mean "pytorch"? Known plugins: "env", "hcclrank", "mpi", "pytorch", "ray", "ssh", "svc", "tensorflow"'
            ),
            (
                "spec.flows[0].patch.jobSpec.tasks[0].name: Required value: tasks of a patch are merged by name: name the task"
            ),
        ],
    ),
    "a placeholder inside a variable of Kubernetes": (
        flow(
            step(
                "a",
                patch={
                    "jobSpec": {"tasks": [{"name": "w", "template": pod("$(date -d $(params.p))")}]},
                    "jsonPatch": [
                        {"op": "add", "path": f"{TEMPLATE}/spec/containers/0/command/-", "value": "$(A_$(params.p))"},
                        {"op": "add", "path": f"{TEMPLATE}/metadata/annotations/x", "value": "$(A_$(params.p))"},
                    ],
                },
            ),
            **PARAM,
        ),
        [
            (
                "spec.flows[0].patch.jobSpec.tasks[0].template.spec.containers[0].args[0]: Invalid value: "
                f'"$(date -d $(params.p))": {OPEN_REFERENCE}'
            ),
            f'spec.flows[0].patch.jsonPatch[0].value: Invalid value: "$(A_$(params.p))": {OPEN_REFERENCE}',
        ],
    ),
    "references to what is not there": (
        flow(
            step("a", outputs=[{"name": "o"}]),
            step(
                "b",
                "a",
                patch={
                    "jobSpec": {
                        "queue": "$(params.q)",
                        "schedulerName": "$(item)",
                        "priorityClassName": "$(steps.a.outputs.o)",
                    }
                },
            ),
            step("c", patch={"jobSpec": {"queue": "$(steps.a.outputs.o)"}}),
            step(
                "d", patch={"jsonPatch": [{"op": "add", "path": "/plugins", "value": {"ssh": ["--port=$(params.g)"]}}]}
            ),
            **PARAM,
        ),
        [
            'spec.flows[1].patch.jobSpec.queue: Invalid value: "$(params.q)": no param named "q"; declare it in spec.params',
            (
                'spec.flows[1].patch.jobSpec.schedulerName: Invalid value: "$(item)": it has a value only in a step with '
                "`for`"
            ),
            (
                'spec.flows[2].patch.jobSpec.queue: Invalid value: "$(steps.a.outputs.o)": step "a" does not end before '
                "this one starts; make it a target, directly or through other steps"
            ),
            (
                'spec.flows[3].patch.jsonPatch[0].value.ssh[0]: Invalid value: "$(params.g)": no param named "g"; declare it '
                "in spec.params"
            ),
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSED_PARTS)
def test_refused_parts(case: str) -> None:
    manifest, wanted = REFUSED_PARTS[case]
    assert faults(manifest) == wanted
