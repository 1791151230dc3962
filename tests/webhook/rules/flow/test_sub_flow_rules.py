"""Rules of steps with `flow`, and of the outputs of flows: a table of manifests and the expected messages."""

import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, faults, flow, known, step, verdict

INNER = {"flows": [{"name": "x"}], "params": [{"name": "p"}], "outputs": [{"name": "o", "expression": "params.p"}]}


def sub(**fields: object) -> Body:
    return flow(step("a", flow=fields))


def flow_template(name: str, *steps: Body, **spec: object) -> Body:
    own = {"flow": {"flows": list(steps or (step("x"),))}, **spec}
    return body(kinds.JOBFLOWTEMPLATE, name, own)


T = flow_template(
    "t",
    params=[{"name": "region", "required": True, "enum": ["eu", "us"]}],
    outputs=[{"name": "rows", "expression": "'1'"}],
)

REFUSED: dict[str, tuple[Body, list[str]]] = {
    "a flow that is nowhere": (
        sub(),
        ["spec.flows[0].flow: Required value: name a JobFlowTemplate in template, or write the flow in spec"],
    ),
    "a flow that is in two places": (
        sub(template="t", spec=INNER, params={"region": "eu", "p": "1"}),
        [
            "spec.flows[0].flow.spec: Forbidden: may not be set beside template",
            'spec.flows[0].flow.params[region]: Invalid value: "region": the flow has no such param: add it to spec.params',
            'spec.flows[0].flow.params: Invalid value: "1": param "p" is not a param of the template; it has region',
        ],
    ),
    "fields of steps that make Jobs": (
        flow(
            step("a", template="t", patch={"jobSpec": {}}, flow={"spec": INNER}, outputs=[{"name": "o", "task": "w"}])
        ),
        [
            "spec.flows[0].template: Forbidden: a step with flow makes no Job: remove template; name a JobFlowTemplate in flow.template",
            "spec.flows[0].patch: Forbidden: a step with flow makes no Job: remove patch; give the flow params in flow.params",
            "spec.flows[0].outputs[0].task: Forbidden: a step with flow takes outputs of the flow: give name, and key if the flow names it otherwise",
        ],
    ),
    "params that the template does not allow": (
        sub(template="t", params={"region": "asia"}),
        ['spec.flows[0].flow.params: Invalid value: "asia": param "region" must be one of eu, us'],
    ),
    "a param that the template requires": (
        sub(template="t"),
        ['spec.flows[0].flow.params: Invalid value: param "region" is required by the template'],
    ),
    "an output that the flow does not have": (
        flow(step("a", flow={"template": "t", "params": {"region": "eu"}}, outputs=[{"name": "n", "key": "row"}])),
        [
            'spec.flows[0].outputs[0].key: Invalid value: "row": the flow has no such output; did you mean "rows"?',
        ],
    ),
    "faults of a flow that is written out": (
        sub(spec={"flows": [{"name": "x", "dependsOn": {"targets": ["y"]}, "if": "steps.x.phas == ''"}]}),
        [
            'spec.flows[0].flow.spec.flows[0].dependsOn.targets[0]: Invalid value: "y": no step named "y"',
            'spec.flows[0].flow.spec.flows[0].if: Invalid value: "steps.x.phas == \'\'": 1:9: undefined field "phas"',
        ],
    ),
    "faults two flows down": (
        sub(spec={"flows": [{"name": "x", "flow": {"spec": {"flows": []}}}]}),
        [
            "spec.flows[0].flow.spec.flows[0].flow.spec.flows: Required value: a JobFlow needs at least one step",
        ],
    ),
    "a field that flows do not have": (
        sub(spec={"flows": [{"name": "x"}], "retires": {"limit": 1}}),
        ['spec.flows[0].flow.spec.retires: Forbidden: unknown field; did you mean "retry"?'],
    ),
    "a value of another type": (
        sub(spec={"flows": [{"name": "x", "daemon": "yes"}]}),
        ["spec.flows[0].flow.spec.flows[0].daemon: Invalid value: must be a boolean, not a string"],
    ),
    "a placeholder of nothing": (
        sub(template="t", params={"region": "$(params.nowhere)"}),
        [
            'spec.flows[0].flow.params.region: Invalid value: "$(params.nowhere)": no param named "nowhere"; declare it in spec.params',
        ],
    ),
    "outputs of the flow": (
        flow(outputs=[{"name": "a-b", "expression": "'1'"}, {"name": "o", "expression": "steps.a.outputs.n"}]),
        [
            'spec.outputs[0].name: Invalid value: "a-b": ',
            'spec.outputs[1].expression: Invalid value: "steps.a.outputs.n": 1:',
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    manifest, wanted = REFUSED[case]
    found = faults(manifest, lookups=known(T))
    assert len(found) == len(wanted), found
    for said, start in zip(found, wanted, strict=True):
        assert said.startswith(start)


ACCEPTED: dict[str, Body] = {
    "a template": sub(template="t", params={"region": "eu"}),
    "a value that is known when it runs": flow(
        step("a", flow={"template": "t", "params": {"region": "$(item)"}}, **{"for": {"items": ["eu"]}})
    ),
    "a template that does not exist yet": sub(template="later", params={"any": "1"}),
    "outputs of a flow that is written out, without listing them": flow(
        step("a", flow={"spec": INNER, "params": {"p": "1"}}), step("b", "a", **{"if": "steps.a.outputs.o == '1'"})
    ),
    "names too long for a flow that is applied by hand": flow(
        step("a" * 40, flow={"spec": {"flows": [{"name": "b" * 40}]}}), name="f" * 20
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case: str) -> None:
    assert faults(ACCEPTED[case], lookups=known(T)) == []


def test_a_template_that_is_not_there_yet_is_warned_of() -> None:
    assert (
        'JobFlowTemplate "later" does not exist yet; its steps wait for it' in verdict(sub(template="later")).warnings
    )


def test_a_cycle_of_templates_is_refused_where_it_closes_and_where_it_is_used() -> None:
    lookups = known(flow_template("b", step("to-a", flow={"template": "a"})))
    closing = flow_template("a", step("to-b", flow={"template": "b"}))
    message = "Forbidden: JobFlowTemplates run each other in a cycle: a -> b -> a"
    assert faults(closing, lookups=lookups) == [f"spec.flow.flows[0].flow: {message}"]
    assert faults(sub(template="a"), lookups=known(closing, flow_template("b", step("s", flow={"template": "a"})))) == [
        f"spec.flows[0].flow: {message}"
    ]


def test_a_flow_that_a_step_created_may_give_names_that_are_shortened() -> None:
    manifest = flow(step("b" * 40), name="f" * 60)
    assert len(faults(manifest)) == 1
    owner = {"apiVersion": kinds.JOBFLOW.api_version, "kind": "JobFlow", "name": "g", "uid": "u", "controller": True}
    manifest["metadata"]["ownerReferences"] = [owner]
    assert faults(manifest) == []
