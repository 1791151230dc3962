"""Rules of the graph and the names of a JobFlow: what is refused, with which message, and what is accepted."""

import pytest

from shared.model.types import Body
from tests.webhook.make import faults, flow, known, step, task, template
from tests.webhook.rules.flow.parts import LONG, PARAM, SWITCH, loop, patched, probe
from webhook.hints.names import IDENTIFIER_FAULT, LABEL_FAULT, SUBDOMAIN_FAULT

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
