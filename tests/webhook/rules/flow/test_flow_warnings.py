"""Warnings about JobFlows."""

import pytest

from shared.model.types import Body
from tests.webhook.make import flow, known, step, task, template, verdict
from tests.webhook.rules.flow.parts import patched, probe

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
