"""Every rule of a JobFlow: what is refused, with which message, and what is not."""

from typing import Any

import pytest

from shared.model.types import Body
from shared.podtemplate.expansion import OPEN_REFERENCE
from tests.webhook.make import faults, flow, known, step, task, template, verdict
from webhook.hints.names import IDENTIFIER_FAULT, LABEL_FAULT, SUBDOMAIN_FAULT

LONG = "x" * 50
SWITCH = {"value": "params.p", "cases": [{"when": ["1"], "run": ["b"]}], "default": ["c"]}
PARAM = {"params": [{"name": "p", "value": "1"}]}


def loop(**source: Any) -> Body:
    return flow(step("a", **{"for": source}))


def probe(**lists: Any) -> Body:
    return flow(step("a"), step("b", dependsOn={"targets": ["a"], "probe": lists}))


def patched(*operations: Body, **more: Any) -> Body:
    return flow(step("a", patch={"jsonPatch": list(operations), **more}))


TEMPLATE = "/tasks/0/template"


def pod(argument: str) -> Body:
    return {"spec": {"containers": [{"name": "c", "args": [argument]}]}}


REFUSED: dict[str, tuple[Body, list[str]]] = {
    "no steps": (flow(flows=[]), ["spec.flows: Required value: a JobFlow needs at least one step"]),
    "a target that is no step": (
        flow(step("a"), step("deploy", "aa", "deplyo")),
        [
            'spec.flows[1].dependsOn.targets[0]: Invalid value: "aa": no step named "aa"; did you mean "a"?',
            'spec.flows[1].dependsOn.targets[1]: Invalid value: "deplyo": no step named "deplyo"',
        ],
    ),
    "a target of one letter": (
        flow(step("a"), step("b", "x"), step("c")),
        ['spec.flows[1].dependsOn.targets[0]: Invalid value: "x": no step named "x"; did you mean "c"?'],
    ),
    "a target in finally": (
        flow(step("a", "z"), **{"finally": [step("z")]}),
        [
            (
                'spec.flows[0].dependsOn.targets[0]: Invalid value: "z": steps of `finally` run after all steps of `flows`, which cannot depend on them'
            )
        ],
    ),
    "a cycle": (
        flow(step("a", "c"), step("b", "a"), step("c", "b")),
        ["spec.flows: Invalid value: cycle a -> b -> c -> a: each step depends on the one before it"],
    ),
    "a step that waits for itself": (
        flow(step("a", "a")),
        ["spec.flows[0].dependsOn: Invalid value: cycle a -> a: the step depends on itself"],
    ),
    "a cycle through a switch": (
        flow(step("s", "b", switch={"value": "params.p", "default": ["b"]}), step("b"), **PARAM),
        ["spec.flows: Invalid value: cycle s -> b -> s: each step depends on the one before it"],
    ),
    "dependsOn in finally": (
        flow(step("a"), **{"finally": [step("z", "a")]}),
        [
            (
                "spec.finally[0].dependsOn: Forbidden: steps of `finally` run in parallel after all steps of `flows` have ended; they cannot depend on steps"
            )
        ],
    ),
    "two steps of one name": (
        flow(step("a"), step("a"), **{"finally": [step("a")]}),
        [
            'spec.flows[1].name: Duplicate value: "a": another step has this name',
            'spec.finally[0].name: Duplicate value: "a": another step has this name',
        ],
    ),
    "a name that is no label": (
        flow(step("A_b")),
        [f'spec.flows[0].name: Invalid value: "A_b": {LABEL_FAULT}'],
    ),
    "a template name that is no name": (
        flow(step("a", template="T!")),
        [f'spec.flows[0].template: Invalid value: "T!": {SUBDOMAIN_FAULT}'],
    ),
    "a param that no expression can name": (
        flow(params=[{"name": "a-b"}, {"name": "p"}, {"name": "p"}]),
        [
            f'spec.params[0].name: Invalid value: "a-b": {IDENTIFIER_FAULT}',
            'spec.params[2].name: Duplicate value: "p": another param has this name',
        ],
    ),
    "an output that no expression can name": (
        flow(step("a", outputs=[{"name": "1st"}, {"name": "o"}, {"name": "o"}])),
        [
            f'spec.flows[0].outputs[0].name: Invalid value: "1st": {IDENTIFIER_FAULT}',
            'spec.flows[0].outputs[2].name: Duplicate value: "o": another output of this step has this name',
        ],
    ),
    "a Job name over 63 characters": (
        flow(step(LONG), name="f" * 9),
        [
            (
                f'spec.flows[0].name: Invalid value: "{LONG}": its Jobs may be named {"f" * 9}-{LONG}-r999: '
                "must be no more than 63 characters; shorten the step's or the flow's name"
            )
        ],
    ),
    "steps whose Jobs could bear one name": (
        flow(step("a", **{"for": {"items": ["x"]}}), step("a-1")),
        [
            (
                'spec.flows[1].name: Invalid value: "a-1": step "a" may create a Job with the same name f-a-1; '
                "rename one of them"
            )
        ],
    ),
    "a switch that would make a Job": (
        flow(
            step("s", switch=SWITCH, template="t", retry={"limit": 1}, daemon=True),
            step("b"),
            step("c"),
            **PARAM,
        ),
        [
            f"spec.flows[0].{field}: Forbidden: a step with switch creates no Job: only name, dependsOn, if and switch are allowed"
            for field in ("template", "retry", "daemon")
        ],
    ),
    "a switch that chooses what is not there": (
        flow(
            step("s", switch={"value": "params.p", "cases": [{"when": ["1"], "run": ["be"]}], "default": ["z"]}),
            step("bee"),
            **PARAM,
            **{"finally": [step("z")]},
        ),
        [
            'spec.flows[0].switch.cases[0].run[0]: Invalid value: "be": no step named "be"; did you mean "bee"?',
            (
                'spec.flows[0].switch.default[0]: Invalid value: "z": a switch cannot choose steps of `finally`: they always run'
            ),
        ],
    ),
    "a step of two switches": (
        flow(
            step("s", switch={"value": "params.p", "default": ["b"]}),
            step("t", switch={"value": "params.p", "default": ["b"]}),
            step("b"),
            **PARAM,
        ),
        [
            (
                'spec.flows[1].switch.default[0]: Duplicate value: "b": step "b" already belongs to switch "s"; '
                "a step can belong to only one switch"
            )
        ],
    ),
    "cases that overlap or are for nothing": (
        flow(
            step("s", switch={"value": "params.p", "cases": [{"when": ["1", "1"], "run": ["b"]}, {"run": ["b"]}]}),
            step("b"),
            **PARAM,
        ),
        [
            'spec.flows[0].switch.cases[0].when[1]: Duplicate value: "1": an earlier case has this value',
            (
                "spec.flows[0].switch.cases[1].when: Required value: list the values of this case; steps for all other values belong in `default`"
            ),
        ],
    ),
    "a switch and a daemon in finally": (
        flow(step("a"), **{"finally": [step("z", daemon=True), step("y", switch={"value": "true"})]}),
        [
            "spec.finally[0].daemon: Forbidden: a step of `finally` cannot be a daemon, since no step depends on it",
            (
                "spec.finally[1].switch: Forbidden: steps of `finally` run in parallel and are never chosen; put the "
                "condition into each step's `if`"
            ),
        ],
    ),
    "retries that cannot be counted or waited for": (
        flow(step("a", retry={"limit": 1000, "backoff": {"duration": "10", "maxDuration": "-1s"}})),
        [
            "spec.flows[0].retry.limit: Invalid value: 1000: must be less than or equal to 999",
            (
                'spec.flows[0].retry.backoff.duration: Invalid value: "10": time: invalid duration "10"; write it '
                "as 10s, 1m30s or 2h"
            ),
            'spec.flows[0].retry.backoff.maxDuration: Invalid value: "-1s": must not be negative',
        ],
    ),
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


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    manifest, wanted = REFUSED[case]
    assert faults(manifest) == wanted


EXPRESSIONS: dict[str, tuple[Body, str]] = {
    "a misspelt field": (
        flow(step("a"), step("b", "a", **{"if": "steps.a.phas == 'Failed'"})),
        'spec.flows[1].if: Invalid value: "steps.a.phas == \'Failed\'": 1:9: undefined field "phas"',
    ),
    "a step that is not upstream": (
        flow(step("a"), step("b", **{"if": "steps.a.phase == 'Failed'"})),
        "spec.flows[1].if: Invalid value: \"steps.a.phase == 'Failed'\": 1:",
    ),
    "a result of another type": (
        flow(step("a", **{"if": "params.p"}), **PARAM),
        'spec.flows[0].if: Invalid value: "params.p": 1:1: the result is string; bool is needed',
    ),
    "a loop's name outside of loops": (
        flow(step("a", **{"if": "index == 1"})),
        'spec.flows[0].if: Invalid value: "index == 1": 1:1: undeclared name "index"',
    ),
    "a retry of the flow": (
        flow(retry={"if": "attempt.exitcode == 3"}),
        'spec.retry.if: Invalid value: "attempt.exitcode == 3": 1:9: undefined field "exitcode"',
    ),
    "an output that is not declared": (
        flow(step("a", outputs=[{"name": "score"}]), step("b", "a", **{"if": "steps.a.outputs.scor == '1'"})),
        "spec.flows[1].if: Invalid value: \"steps.a.outputs.scor == '1'\": 1:",
    ),
}


@pytest.mark.parametrize("case", EXPRESSIONS)
def test_an_expression_is_refused_with_its_position(case: str) -> None:
    manifest, wanted = EXPRESSIONS[case]
    found = faults(manifest)
    assert len(found) == 1
    assert found[0].startswith(wanted)


ACCEPTED: dict[str, Body] = {
    "the seed's flow": flow(jobRetainPolicy="delete"),
    "one step": flow(step("a")),
    "a join after two branches": flow(step("a"), step("b"), step("c", "a", "b")),
    "a target named twice": flow(step("a"), step("b", "a", "a")),
    "steps that share a template": flow(step("a", template="t"), step("b", template="t")),
    "a switch": flow(step("s", switch=SWITCH), step("b"), step("c"), **PARAM),
    "every place of an expression": flow(
        step("a", outputs=[{"name": "n"}]),
        step("b", "a", **{"if": "steps.a.outputs.n == '1'", "retry": {"limit": 1, "if": "attempt.exitCode == 3"}}),
        step("c", "b", **{"for": {"expression": "range(int(steps.a.outputs.n))"}}),
        step("d", "c", **{"for": {"while": "index < 3"}}),
        step(
            "e",
            **{
                "for": {"items": ["1"]},
                "patch": {"jsonPatch": [{"op": "add", "path": "/queue", "expression": "index"}]},
            },
        ),
        **{"finally": [step("z", **{"if": "flow.outcome == 'Failed' && steps.a.phase == 'Failed'"})]},
    ),
    "a name with a dash in an expression": flow(
        step("a-b"), step("c", "a-b", **{"if": 'steps["a-b"].phase == "Failed"'})
    ),
    "a matrix": loop(matrix={"lr": ["1", "2"], "seed": ["a", "b"]}),
    "no items at all": loop(items=[]),
    "2000 iterations when asked for": loop(range={"end": 2000}, maxIterations=2000),
    "a range downwards": loop(range={"start": 10, "end": 0, "step": -1}),
    "a probe": probe(httpGetList=[{"taskName": "w", "port": 80, "path": "/ready"}]),
    "references": flow(
        step("a", outputs=[{"name": "o"}]),
        step("b", "a", patch={"jobSpec": {"queue": "$(params.p)$(steps.a.outputs.o)$(flow.name)$(KUBERNETES_OWN)"}}),
        **PARAM,
        **{"finally": [step("z", patch={"jobSpec": {"queue": "$(steps.a.outputs.o)"}})]},
    ),
    "operations": patched(
        {"op": "replace", "path": "/queue", "value": None},
        {"op": "move", "from": "/tasks/0", "path": "/tasks/1"},
        {"op": "test", "path": "", "value": {}},
    ),
    "the longest name": flow(step("x" * 48), name="f" * 9),
    "a generated name": {**flow(), "metadata": {"generateName": "f-", "namespace": "ns1"}},
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case: str) -> None:
    assert faults(ACCEPTED[case]) == []


def test_all_violations_are_reported_at_once() -> None:
    found = faults(flow(step("A"), step("b", "nope"), step("c", "d"), step("d", "c")))
    assert [fault.partition(":")[0] for fault in found] == [
        "spec.flows[0].name",
        "spec.flows[1].dependsOn.targets[0]",
        "spec.flows",
    ]


def test_a_long_cycle_is_abbreviated() -> None:
    ring = [step(f"s{n}", f"s{(n + 1) % 100}") for n in range(100)]
    (found,) = faults(flow(*ring))
    assert found.startswith("spec.flows: Invalid value: cycle s0 -> s99 -> s98")
    assert " -> ... -> s0: each step depends on the one before it" in found


def test_a_flow_with_too_many_steps_gets_only_that_violation() -> None:
    found = faults(flow(*(step(f"S{n}") for n in range(1001))))
    assert "spec.flows: Too many: 1001: must have at most 1000 items" in found


def test_pod_name_length_is_checked_if_the_template_exists() -> None:
    long = template(task("t" * 30), name="a")
    (found,) = faults(flow(step("a"), name="f" * 30), lookups=known(long))
    assert found.startswith(
        f'spec.flows[0].name: Invalid value: "a": its pods may be named {"f" * 30}-a-r999-{"t" * 30}-1:'
    )


@pytest.mark.parametrize("plugins", [{"svc": []}, {"pytorch": ["--master=w"]}])
@pytest.mark.parametrize("name", ["1f", "f.x"])
def test_a_flow_whose_jobs_get_services_needs_a_valid_service_name(name: str, plugins: Body) -> None:
    serving, without = template(name="a", plugins=plugins), {"op": "remove", "path": "/plugins/svc"}
    (found,) = faults(flow(step("a"), step("b", template="a"), name=name), lookups=known(serving))
    assert found.startswith(
        f'metadata.name: Invalid value: "{name}": JobTemplate "a" of spec.flows[0] cannot be used by a flow of this '
        "name: plugin svc creates a Service of this name: a DNS-1035 label"
    )
    assert faults(flow(step("a", patch={"jsonPatch": [without]}), name=name), lookups=known(serving)) == []
    assert faults(flow(step("a"), name=name), lookups=known(template(name="a"))) == []


WARNINGS: dict[str, tuple[Body, list[Body], list[str]]] = {
    "templates that are not there": (
        flow(step("a"), step("b"), step("s", switch={"value": "1", "default": ["a"]})),
        [template(name="b")],
        ["JobTemplates not found yet; steps wait for them: a"],
    ),
    "a daemon that nothing needs": (
        flow(step("a", daemon=True)),
        [template(name="a")],
        ["spec.flows[0].daemon: no step depends on a, so it is stopped as soon as it starts"],
    ),
    "a switch without choices": (
        flow(step("s", switch={"value": "true"})),
        [],
        ["spec.flows[0].switch: neither cases nor default name a step, so it chooses no step"],
    ),
    "a probe of a task that no template has": (
        probe(tcpSocketList=[{"taskName": "nope", "port": 1}]),
        [template(name="a"), template(name="b")],
        ['spec.flows[1].dependsOn.probe: no target has a task "nope"'],
    ),
    "literals that never match": (
        flow(
            step("a"),
            step("b", "a", **{"if": 'steps.a.phase == "Succeeded"'}, retry={"if": 'attempt.phase != "Error"'}),
            step(
                "s",
                "a",
                switch={"value": "steps.a.phase", "cases": [{"when": ["Completed", "Succeeded"], "run": ["c"]}]},
            ),
            step("c"),
            **{
                "finally": [step("z", **{"if": 'flow.outcome == "Succeeded"'})],
                "retry": {"if": 'attempt.phase == "Error"'},
            },
        ),
        [template(name=name) for name in "abcz"],
        [
            'spec.flows[1].if: 1:18: the phase of a step is never "Succeeded"; did you mean "Completed"?',
            'spec.flows[1].retry.if: 1:18: the phase of a failed attempt is never "Error"; did you mean "Failed"?',
            'spec.flows[2].switch.cases[0].when[1]: the phase of a step is never "Succeeded"; did you mean "Completed"?',
            'spec.finally[0].if: 1:17: the outcome of a flow is never "Succeeded"; did you mean "Succeed"?',
            'spec.retry.if: 1:18: the phase of a failed attempt is never "Error"; did you mean "Failed"?',
        ],
    ),
    "the outcome before the flow has one": (
        flow(
            step("a", **{"if": 'flow.outcome == "Succeed"', "retry": {"if": 'flow.outcome != "Failed"'}}),
            step("b", **{"if": 'flow.name == "flow.outcome"'}),
            **{"finally": [step("z", **{"if": 'flow.outcome == "Failed"'})]},
        ),
        [template(name=name) for name in "abz"],
        [
            f'spec.flows[0].{field}: flow.outcome is "" until all steps of spec.flows have ended; read it in a step of `finally`'
            for field in ("if", "retry.if")
        ],
    ),
    "cases that a bool or an int never is": (
        flow(
            step("a"),
            step(
                "s", "a", switch={"value": "steps.a.exitCode == 0", "cases": [{"when": ["True", "true"], "run": ["b"]}]}
            ),
            step("t", "a", switch={"value": "steps.a.exitCode", "cases": [{"when": ["ok", "01", "-2"], "run": ["c"]}]}),
            step("b"),
            step("c"),
        ),
        [template(name=name) for name in "abc"],
        [
            'spec.flows[1].switch.cases[0].when[0]: a bool is never "True"; it is "true" or "false"',
            'spec.flows[2].switch.cases[0].when[0]: an int is never "ok"; write it as 0, 1 or -1',
            'spec.flows[2].switch.cases[0].when[1]: an int is never "01"; write it as 0, 1 or -1',
        ],
    ),
    "a patch of a task that the template has not": (
        patched(jobSpec={"tasks": [{"name": "w", "replicas": 1}, {"name": "x", "replicas": 1}]}),
        [template(name="a")],
        ['spec.flows[0].patch.jobSpec.tasks[1]: the JobTemplate has no task "x", and no pod template is given'],
    ),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_warned_about(case: str) -> None:
    manifest, others, wanted = WARNINGS[case]
    found = verdict(manifest, lookups=known(*others))
    assert (found.violations, list(found.warnings)) == ((), wanted)


def test_many_missing_templates_are_one_short_warning() -> None:
    (warning,) = verdict(flow(*(step(f"step-{n}") for n in range(100)))).warnings
    assert warning.endswith(" more")
    assert len(warning) <= 120


def test_a_misspelt_field_of_a_patched_pod_template_is_warned_about() -> None:
    patch = {"jobSpec": {"tasks": [{"name": "w", "template": {"spec": {"hostnetwork": True}}}]}}
    found = verdict(flow(step("a", patch=patch)), None, known(template(task("w"), name="a")))
    assert found.allowed
    assert found.warnings == (
        'spec.flows[0].patch.jobSpec.tasks[0].template.spec.hostnetwork: unknown field; did you mean "hostNetwork"?',
    )
