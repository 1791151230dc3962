"""What a flow claims to create, by its steps, its written-out flows and the templates that exist."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from shared.model.flow import JobFlowSpec
from shared.resource_steps.allowed import parse_kinds
from shared.resource_steps.rights import claim_of, kinds_in, read_claim, templates_in, verbs_of, write_claim

ALLOWED = parse_kinds(
    '[{"apiVersion": "batch/v1", "kind": "Job", "resource": "jobs"},'
    ' {"apiVersion": "x.dev/v1", "kind": "Thing", "resource": "things"},'
    ' {"apiVersion": "x.dev/v2", "kind": "Thing", "resource": "things"}]'
)
JOB: dict[str, Any] = {"name": "j", "resource": {"manifest": {"apiVersion": "batch/v1", "kind": "Job"}}}
THING: dict[str, Any] = {"name": "t", "resource": {"manifest": {"apiVersion": "x.dev/v2", "kind": "Thing"}}}
STOPPED: dict[str, Any] = {"name": "s", "resource": {**THING["resource"], "terminate": {"patch": []}}}


def spec(*steps: Any, finally_: Any = ()) -> JobFlowSpec:
    return msgspec.convert({"flows": list(steps), "finally": list(finally_)}, JobFlowSpec)


def inline(*steps: Any) -> dict[str, Any]:
    return {"name": "i", "flow": {"spec": {"flows": list(steps)}}}


def uses(name: str) -> dict[str, Any]:
    return {"name": f"u-{name}", "flow": {"template": name}}


def claimed(flow: JobFlowSpec, **templates: JobFlowSpec) -> str:
    return write_claim(claim_of(flow, ALLOWED, templates.get))


CLAIMS: Mapping[str, tuple[JobFlowSpec, str]] = {
    "a step without an object": (spec({"name": "a"}), ""),
    "one kind": (spec(JOB), "jobs.batch"),
    "two kinds": (spec(JOB, THING), "jobs.batch,things.x.dev"),
    "a kind twice, in two ways": (spec(THING, STOPPED), "things.x.dev,things.x.dev+patch"),
    "a step of finally": (spec({"name": "a"}, finally_=[JOB]), "jobs.batch"),
    "a written-out flow": (spec(inline(inline(JOB))), "jobs.batch"),
    "a kind that is not allowed": (
        spec({"name": "a", "resource": {"manifest": {"apiVersion": "v1", "kind": "Job"}}}),
        "",
    ),
    "a manifest without a kind": (spec({"name": "a", "resource": {"manifest": {}}}), ""),
    "a template that does not exist": (spec(uses("none")), ""),
    "a template": (spec(uses("one")), "jobs.batch"),
    "a template of a template": (spec(uses("outer")), "jobs.batch,things.x.dev"),
    "templates in a cycle": (spec(uses("left")), "things.x.dev"),
}
TEMPLATES = {
    "one": spec(JOB),
    "outer": spec(THING, inline(uses("one"))),
    "left": spec(uses("right")),
    "right": spec(THING, uses("left")),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_a_flow_claims_every_kind_that_it_may_come_to_create(case: str) -> None:
    flow, wanted = CLAIMS[case]
    assert claimed(flow, **TEMPLATES) == wanted


def test_flows_nested_without_end_are_not_walked_without_end() -> None:
    deep = inline(JOB)
    for _ in range(50):
        deep = inline(deep)
    assert claimed(spec(deep)) == ""


def test_all_templates_are_named_whether_they_exist_or_not() -> None:
    flow = spec(uses("outer"), uses("none"))
    assert templates_in(flow, TEMPLATES.get) == {"outer", "one", "none"}


def test_a_claim_is_read_as_it_was_written_and_anything_else_is_no_claim() -> None:
    claim = frozenset({"jobs.batch", "jobs.batch+patch", "things.x.dev"})
    assert read_claim({"flow.jobflow.dev/resource-kinds": write_claim(claim)}) == claim
    assert kinds_in(claim) == ("jobs.batch", "things.x.dev")
    assert (verbs_of(claim), verbs_of(frozenset({"jobs.batch"}))) == (
        "create, get, patch and delete",
        "create, get and delete",
    )
    assert read_claim(None) == read_claim({}) == read_claim({"flow.jobflow.dev/resource-kinds": 3}) == frozenset()
