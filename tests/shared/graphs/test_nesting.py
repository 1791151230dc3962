"""Flows within flows: their depth, and cycles among templates."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.graphs.nesting import MAX_LEVELS, known_outputs, nesting_faults
from shared.model.flow import JobFlowSpec
from shared.model.step import Step

NAMES = tuple("abcdefgh")
TEMPLATES = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4))


def running(*templates: str) -> JobFlowSpec:
    """A flow with a step for each template."""
    steps = [{"name": f"s{number}", "flow": {"template": name}} for number, name in enumerate(templates)]
    return msgspec.convert({"flows": steps}, JobFlowSpec)


def inline(levels: int) -> dict[str, object]:
    return {"flows": [{"name": "s", "flow": {"spec": inline(levels - 1)}} if levels > 1 else {"name": "s"}]}


def faults(spec: JobFlowSpec, templates: dict[str, list[str]], name: str = "") -> dict[str, str]:
    found = {key: running(*targets) for key, targets in templates.items()}
    return {fault.path: fault.message for fault in nesting_faults(spec, found.get, name)}


def test_a_chain_of_five_levels_is_allowed_and_one_of_six_is_not() -> None:
    chain = {name: [following] for name, following in zip("abcd", "bcde", strict=True)}
    assert faults(running("b"), chain | {"e": []}) == {}
    assert "6 levels" in faults(running("a"), chain | {"e": []})["flows[0]"]


def test_flows_written_out_count_as_levels() -> None:
    assert faults(msgspec.convert(inline(MAX_LEVELS), JobFlowSpec), {}) == {}
    assert "at most 5" in faults(msgspec.convert(inline(MAX_LEVELS + 1), JobFlowSpec), {})["flows[0]"]
    assert "flows[0]" in faults(msgspec.convert(inline(200), JobFlowSpec), {})


def test_a_cycle_is_spelled_out_at_the_step_that_leads_to_it() -> None:
    found = faults(running("c", "b"), {"a": ["b"], "b": ["a"], "c": []})
    assert found == {"flows[1]": "JobFlowTemplates run each other in a cycle: b -> a -> b"}
    assert "a -> b -> a" in faults(running("b"), {"b": ["a"]}, "a")["flows[0]"]
    assert "a -> a" in faults(running("a"), {}, "a")["flows[0]"]


def test_a_template_in_finally_is_looked_at_too() -> None:
    spec = msgspec.convert({"flows": [], "finally": [{"name": "z", "flow": {"template": "a"}}]}, JobFlowSpec)
    assert list(faults(spec, {"a": ["a"]})) == ["finally[0]"]


def test_a_template_that_does_not_exist_ends_the_walk() -> None:
    assert faults(running("gone"), {}) == {}


@settings(deadline=None)
@given(TEMPLATES)
def test_a_step_is_at_fault_exactly_if_it_leads_into_a_cycle_or_too_deep(templates: dict[str, list[str]]) -> None:
    for name in templates:
        assert bool(faults(running(name), templates)) == (_levels(name, templates) + 1 > MAX_LEVELS)


def _levels(name: str, templates: dict[str, list[str]]) -> int:
    """Levels of flows from `name` down; a cycle has more than any number."""
    level = {name}
    for walked in range(2 * MAX_LEVELS):
        if not level:
            return walked
        level = {below for each in level for below in templates.get(each, ())}
    return 2 * MAX_LEVELS


def test_a_step_has_the_outputs_that_it_lists_and_those_of_the_flow_it_writes_out() -> None:
    spec = {"flows": [], "outputs": [{"name": "a", "expression": "'1'"}, {"name": "b", "expression": "'2'"}]}
    step = msgspec.convert({"name": "s", "flow": {"spec": spec}, "outputs": [{"name": "c", "key": "a"}]}, Step)
    assert known_outputs(step) == ("c", "a", "b")
