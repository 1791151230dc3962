"""Faults of an object that does not match the schema: those of the schema and all others, and no consequences."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import KINDS, body, faults, flow, job, known, queue, review, step, task, verdict
from webhook.verdict.admit import changed_subject, is_unreadable, validate
from webhook.verdict.kind_admission import DEFAULT_OPTIONS
from webhook.verdict.schema_faults import schema_faults


def paths(manifest: Body) -> list[str]:
    return sorted(violation.path for violation in verdict(manifest).violations)


BOTH: dict[str, tuple[Body, list[str]]] = {
    "a choice, a target and a cycle": (
        flow(step("a", "b"), step("b", "a"), step("c", "zz", allowFailure=1), jobRetainPolicy="keep"),
        ["spec.flows", "spec.flows[2].allowFailure", "spec.flows[2].dependsOn.targets[0]", "spec.jobRetainPolicy"],
    ),
    "a name that is a number is the name of the step": (
        flow({"name": 5}, step("b", "5"), step("c", "6")),
        ["spec.flows[0].name", "spec.flows[2].dependsOn.targets[0]"],
    ),
    "a target outside of a list": (
        flow(step("a"), {"name": "b", "dependsOn": {"targets": "zz"}}),
        ["spec.flows[1].dependsOn.targets", "spec.flows[1].dependsOn.targets[0]"],
    ),
    "items that only the model refuses, each of them": (
        flow(step("a", "zz", **{"for": {"items": [1, 2]}}), parallelism="two"),
        ["spec.flows[0].dependsOn.targets[0]", "spec.flows[0].for.items[0]", "spec.flows[0].for.items[1]", "spec.parallelism"],
    ),
    "an item that is null, beside others": (
        flow(step("a", **{"for": {"items": [None, 1, "b", 2.5]}}), parallelism="two"),
        ["spec.flows[0].for.items[0]", "spec.flows[0].for.items[1]", "spec.flows[0].for.items[3]", "spec.parallelism"],
    ),
    "two tasks of one name": (
        job(task("w"), task("w"), maxRetry="x"),
        ["spec.maxRetry", "spec.tasks[1].name"],
    ),
    "a minimum above the replicas that can be read": (
        job(task("w", minAvailable=3), maxRetry="x"),
        ["spec.maxRetry", "spec.minAvailable", "spec.tasks[0].minAvailable"],
    ),
    "an amount of a queue": (
        queue("q", weight="7", deserved={"cpu": "x"}),
        ["spec.deserved[cpu]", "spec.weight"],
    ),
}  # fmt: skip
ONLY_CONSEQUENCES: dict[str, Body] = {
    "a target that may be the step without a name": flow({"dependsOn": {"targets": ["a"]}}, step("a"), step("b", "x")),
    "a target that may be the step that is a text": flow("x", step("b", "x")),
    "a target that may be in the list that is an object": flow(**{"flows": {"x": {}}, "finally": [step("b")]}),
    "a step that may wait for what it reads": flow(
        step("a", outputs=[{"name": "n", "from": "message"}]),
        step("b", **{"dependsOn": 7, "if": "steps.a.outputs.n == '1'"}),
    ),
    "a minimum beside replicas that cannot be read": job(task("w", replicas="two", minAvailable=3), minAvailable=3),
    "a minimum of the Job beside replicas of two tasks": job(
        task("v", replicas=[]), task("w", replicas={}), minAvailable=9
    ),
    "an expression with a param of a list that cannot be read": flow(
        step("a", **{"if": "params.day == '1'"}), params={"day": "1"}
    ),
}


@pytest.mark.parametrize(("manifest", "wanted"), BOTH.values(), ids=BOTH.keys())
def test_faults_of_the_schema_and_of_rules_are_found_together(manifest: Body, wanted: list[str]) -> None:
    assert sorted(set(paths(manifest))) == wanted


@pytest.mark.parametrize("manifest", ONLY_CONSEQUENCES.values(), ids=ONLY_CONSEQUENCES.keys())
def test_consequences_of_unreadable_values_are_left_out(manifest: Body) -> None:
    found = verdict(manifest)
    assert found.schema_faults == len(found.violations) > 0, faults(manifest)


def test_an_object_that_is_read_completely_is_not_unreadable() -> None:
    sound, broken = review(flow()), review(flow(parallelism="two"))
    for of, unreadable in ((sound, False), (broken, True)):
        assert is_unreadable(of, changed_subject(of, known(), DEFAULT_OPTIONS)) is unreadable


def test_faults_that_only_the_model_finds_are_not_counted_as_those_of_the_schema() -> None:
    """The mutating webhook refuses an object with more faults than the API server's schema finds."""
    found = verdict(flow(step("a", **{"for": {"items": [1, True]}}), step("b", **{"if": True})))
    assert (found.schema_faults, len(found.violations)) == (1, 3)


def test_too_little_time_leaves_the_faults_of_the_schema() -> None:
    found = validate(review(flow(step("a", "zz"), parallelism="two")), known(), in_time=lambda: False)
    assert [violation.path for violation in found.violations] == ["spec.parallelism"]


Fault = Callable[[Body, int], str]
"""Puts a fault into the step of an index, and returns the path at which it must be reported."""


def _field(name: str, value: object, where: str = "") -> Fault:
    def put(manifest: Body, index: int) -> str:
        manifest["spec"]["flows"][index][name] = value
        return f"spec.flows[{index}].{name}{where}"

    return put


def _targets(value: object, where: str) -> Fault:
    return _field("dependsOn", {"targets": value}, f".{where}")


SCHEMA_FAULTS: tuple[Fault, ...] = (
    _field("allowFailure", "yes"),
    _field("retry", {"limit": "x"}, ".limit"),
    _field("retry", 3),
    _field("template", {"name": "a"}),
    _field("outputs", {"a": 1}),
    _targets({"a": 1}, "targets"),
    _field("dependsOn", {"condition": "Done"}, ".condition"),
    _field("dependsOn", [1, 2]),
    _field("activeDeadlineSeconds", -1),
)
RULE_FAULTS: tuple[Fault, ...] = (
    _targets(["nowhere"], "targets[0]"),
    lambda manifest, index: _field("name", f"No_Label_{index}")(manifest, index),
    _field("if", "1 +"),
    _field("template", "No Name"),
    lambda manifest, index: _field("dependsOn", {"targets": [f"s{index}"]})(manifest, index),
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_each_of_several_independent_faults_is_named_and_nothing_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(3, 10))
    sound = flow(*(step(f"s{index}", *(f"s{each}" for each in _before(data, index))) for index in range(size)))
    assert faults(sound) == []
    broken, wanted, of_schema = copy.deepcopy(sound), [], 0
    # nothing waits for the steps that get faults, so that the faults are independent
    waited = {target for each in sound["spec"]["flows"] for target in each.get("dependsOn", {}).get("targets", ())}
    free = [index for index in range(size) if f"s{index}" not in waited]
    for index in data.draw(st.lists(st.sampled_from(free), unique=True, min_size=1, max_size=5)):
        source = data.draw(st.sampled_from((SCHEMA_FAULTS, RULE_FAULTS)))
        wanted.append(data.draw(st.sampled_from(source))(broken, index))
        of_schema += source is SCHEMA_FAULTS
    assert sorted(paths(broken)) == sorted(wanted), faults(broken)
    assert verdict(broken).schema_faults == of_schema


def _before(data: st.DataObject, index: int) -> list[int]:
    return data.draw(st.lists(st.integers(0, index - 1), unique=True, max_size=2)) if index else []


SOUND: list[Body] = [
    flow(params=[{"name": "day", "value": "1"}], outputs=[{"name": "n", "expression": "params.day"}]),
    flow(step("a"), step("b", "a", **{"for": {"items": ["x", "y"]}, "retry": {"limit": 2}, "if": "true"})),
    job(
        task("v", minAvailable=1), task("w", dependsOn={"name": ["v"]}), policies=[{"event": "*", "action": "AbortJob"}]
    ),
    queue("q", capability={"cpu": "2"}, guarantee={"resource": {"cpu": 1}}),
    body(kinds.CRONJOBFLOW, "c", {"schedules": ["0 5 * * *"], "jobFlowTemplate": {"spec": {"flows": [step("a")]}}}),
    body(kinds.JOBFLOWPOLICY, "p", {"limits": {"maxSteps": 3}, "allowed": {"images": ["busybox*"]}}),
]
ODD: Final = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "5",
    [],
    [[]],
    [None],
    {},
    {"": {}},
    {"name": "a"},
    [{"name": 1}],
)


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the value has values."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from places(inner, (*path, key))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_odd_value_breaks_the_judgement_or_hides_a_fault_of_the_schema(data: st.DataObject) -> None:
    manifest = copy.deepcopy(data.draw(st.sampled_from(SOUND)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(manifest["spec"]))))
        holder: Any = manifest["spec"]
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    kind = KINDS[manifest["kind"]]
    found = verdict(manifest)
    if found.schema_faults:
        alone = schema_faults(kind, manifest)
        assert {str(each) for each in found.violations[: found.schema_faults]} >= {
            str(each) for each in alone if each.message
        }
