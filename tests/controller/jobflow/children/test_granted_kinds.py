"""Steps create only kinds that the users who requested the flow may create."""

from typing import Any

import pytest
from msgspec.structs import replace

from controller.decision import Create
from controller.jobflow.decide.flow import decide
from controller.jobflow.model.observed import FlowCommand, GrantedKinds, ObservedFlow
from controller.jobflow.model.plan import Plan
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.types import Body
from shared.names import FLOW_TEMPLATE, RESOURCE_KINDS
from shared.timestamp import rfc3339
from tests.controller.jobflow.children.test_resource_steps import ENDS, MANIFEST, THING, ThingCluster, things
from tests.controller.jobflow.make import START, flow, step

CLAIM = frozenset({THING.resource})
GRANTED = GrantedKinds(checked=True, since=START - 100, claim=CLAIM)
NOTHING = replace(GRANTED, claim=frozenset())
STOP = {"terminate": {"patch": [{"op": "add", "path": "/spec/suspend", "value": True}]}}


def decided(cluster: ThingCluster, granted: GrantedKinds, **more: Any) -> tuple[list[Body], StepStatus]:
    """The objects that the first pass creates, and the step then."""
    seen = replace(cluster.seen(), granted=granted, **more)
    found = decide(seen, Plan(seen.flow))
    created = [one.body for one in found.decision.actions if isinstance(one, Create)]
    return created, next(one for one in found.next_status.steps if one.name == "a")


def annotated(cluster: ThingCluster, **annotations: str) -> dict[str, Any]:
    flow_ = cluster.flow
    return {"flow": replace(flow_, metadata=replace(flow_.metadata, annotations=annotations))}


def test_a_granted_kind_is_created() -> None:
    created, _ = decided(things(), GRANTED)
    assert [one["kind"] for one in created] == ["Thing"]


def test_where_nobody_compares_rights_every_kind_is_granted() -> None:
    created, _ = decided(things(), GrantedKinds())
    assert len(created) == 1


def test_a_kind_without_a_claim_fails_the_step_and_says_what_to_do() -> None:
    created, state = decided(things(), NOTHING)
    assert created == []
    assert (str(state.phase), state.reason) == ("Failed", "RightsNotChecked")
    assert "a user who may create, get and delete it can create the flow again" in state.message
    assert f"annotation {RESOURCE_KINDS} to things.x.dev" in state.message


def test_a_kind_that_came_with_a_template_fails_the_step_as_changed() -> None:
    cluster = things()
    created, state = decided(cluster, NOTHING, **annotated(cluster, **{FLOW_TEMPLATE: "t"}))
    assert (created, state.reason) == ([], "TemplateChanged")


def test_a_step_waits_while_the_policy_is_missing() -> None:
    created, state = decided(things(), replace(NOTHING, missing="the policy is missing"))
    assert created == []
    assert (str(state.phase), state.reason) == ("Waiting", "RightsNotChecked")


def test_a_step_that_patches_its_object_needs_that_right_too() -> None:
    created, state = decided(things(resource=STOP), GRANTED)
    assert (created, state.reason) == ([], "RightsNotChecked")
    created, _ = decided(things(resource=STOP), replace(GRANTED, claim=CLAIM | {f"{THING.resource}+patch"}))
    assert len(created) == 1


INNER = {"flows": [{"name": "b", "resource": {"manifest": MANIFEST, **ENDS}}]}


def below(granted: GrantedKinds, step_: dict[str, Any], templates: dict[str, Body] | None = None) -> str | None:
    """The claim of the flow that a step creates."""
    created, _ = decided(ThingCluster(flow(step("a", flow=step_))), granted, flow_templates=templates or {})
    found: str | None = created[0]["metadata"]["annotations"].get(RESOURCE_KINDS)
    return found


def template(claim: str, age: float = 0.0) -> dict[str, Body]:
    metadata = {"name": "t", "creationTimestamp": rfc3339(START - age), "annotations": {RESOURCE_KINDS: claim}}
    return {"t": {"metadata": metadata, "spec": {"flow": INNER}}}


def test_a_flow_below_may_create_what_the_flow_above_may_and_its_template_claims() -> None:
    assert below(GRANTED, {"spec": INNER}) == THING.resource
    assert below(NOTHING, {"spec": INNER}) is None
    assert below(GRANTED, {"template": "t"}, template(THING.resource)) == THING.resource
    assert below(GRANTED, {"template": "t"}, template("")) is None
    assert below(NOTHING, {"template": "t"}, template(THING.resource)) is None
    assert below(GRANTED, {"template": "t"}, template(THING.resource, age=200)) is None


@pytest.mark.parametrize("action", ["RetryJobFlow", "RestartJobFlow"])
@pytest.mark.parametrize(
    ("claim", "age", "words"),
    [
        (CLAIM, 0.0, ""),
        (frozenset(), 0.0, "it was not checked whether the sender may create, get and delete them"),
        (CLAIM, 200.0, "it was sent before the API server compared the rights of senders"),
    ],
)
def test_a_command_starts_steps_again_only_for_who_may_create_the_kinds(
    action: str, claim: frozenset[str], age: float, words: str
) -> None:
    cluster = things()
    cluster.settle()
    cluster.report("f-a", state="bad")
    order = FlowCommand("o", "u", action, rfc3339(START - age), claim=claim)
    status = result_of(replace(cluster.seen(), granted=GRANTED, commands=(order,)))
    (result,) = status.command_results
    assert result.result == ("Refused" if words else "Done")
    assert words in result.message


def result_of(seen: ObservedFlow) -> JobFlowStatus:
    return decide(seen, Plan(seen.flow)).next_status
