"""The conditions of a JobFlowTemplate."""

from typing import Any

import pytest

from controller.decision import Decision
from controller.flowtemplate.decide import TemplateSeen, decide, used_flow_templates, used_job_templates
from shared.model.types import Body
from shared.timestamp import epoch
from tests.purity import pure

NOW = epoch("2026-03-28T00:00:00Z")
STEPS: list[Body] = [{"name": "a", "template": "work"}, {"name": "b", "flow": {"template": "inner"}}]


def template(*steps: Body, status: Body | None = None, **spec: Any) -> Body:
    metadata = {"name": "t", "namespace": "ns1", "generation": 4}
    return {"metadata": metadata, "spec": {"flow": {"flows": list(steps)}, **spec}, "status": status or {}}


def decided(body: Body, jobs: tuple[str, ...] = ("work",), flows: tuple[str, ...] = ("inner",)) -> Decision:
    return pure(decide)(TemplateSeen(body, frozenset(jobs), frozenset(flows)), NOW)


def conditions(decision: Decision) -> dict[str, Body]:
    assert decision.status is not None
    return {each["type"]: each for each in decision.status["conditions"]}


def test_a_template_whose_parts_exist_is_ready() -> None:
    decision = decided(template(*STEPS))

    assert decision.status is not None
    assert decision.status["observedGeneration"] == 4
    (ready,) = conditions(decision).values()
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "True", "Valid")
    assert (ready["observedGeneration"], ready["lastTransitionTime"]) == (4, "2026-03-28T00:00:00Z")


def test_templates_that_do_not_exist_are_named_and_may_still_come() -> None:
    found = conditions(decided(template(*STEPS), jobs=(), flows=()))

    assert found.keys() == {"Ready"}
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "TemplateNotFound")
    assert found["Ready"]["message"] == 'JobTemplate "work" does not exist; JobFlowTemplate "inner" does not exist'


def test_a_step_that_creates_an_object_of_another_kind_needs_no_job_template() -> None:
    manifest = {"apiVersion": "batch/v1", "kind": "Job"}
    found = conditions(decided(template({"name": "a", "resource": {"manifest": manifest}}), jobs=()))

    assert found["Ready"]["status"] == "True"


FAULTS = {
    "no steps": (template(), "spec.flow.flows is empty"),
    "a step twice": (template(STEPS[0], STEPS[0]), "several steps are named a"),
    "an unknown target": (
        template({"name": "a", "template": "work", "dependsOn": {"targets": ["z"]}}),
        'step a waits for "z", which is no step',
    ),
    "a cycle": (template({"name": "a", "template": "work", "dependsOn": {"targets": ["a"]}}), "cycle a -> a"),
    "a pattern that is none": (template(*STEPS, params=[{"name": "p", "pattern": "("}]), "the pattern of p"),
    "a default that is not allowed": (
        template(*STEPS, params=[{"name": "p", "enum": ["x"], "default": "y"}]),
        "the default of p must be one of x",
    ),
    "a param twice": (template(*STEPS, params=[{"name": "p"}, {"name": "p"}]), "declared more than once: p"),
}


@pytest.mark.parametrize(("body", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_that_only_an_edit_removes_is_stalled(body: Body, message: str) -> None:
    found = conditions(decided(body))

    assert found.keys() == {"Ready", "Stalled"}
    assert (found["Ready"]["status"], found["Stalled"]["status"]) == ("False", "True")
    assert message in found["Ready"]["message"]
    assert found["Stalled"]["message"] == found["Ready"]["message"]


def test_the_names_of_the_params_are_listed() -> None:
    decision = decided(template(*STEPS, params=[{"name": "day"}, {"name": "mode"}]))

    assert decision.status is not None
    assert decision.status["params"] == ["day", "mode"]


def test_nothing_is_written_when_nothing_has_changed() -> None:
    first = decided(template(*STEPS))

    assert decided(template(*STEPS, status=first.status)) == Decision()


def test_a_name_with_a_placeholder_is_not_looked_for() -> None:
    step = {"name": "b", "flow": {"template": "$(params.which)"}}

    assert conditions(decided(template(STEPS[0], step)))["Ready"]["status"] == "True"


def test_used_templates_include_those_of_finally_and_leave_out_other_steps() -> None:
    body = template(*STEPS, {"name": "ask", "approve": {}}, {"name": "c"})
    body["spec"]["flow"]["finally"] = [{"name": "tidy", "template": "broom"}]

    assert used_job_templates(body) == ("work", "c", "broom")
    assert used_flow_templates(body) == ("inner",)
