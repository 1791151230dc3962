"""The rules that plain flows are spared, and the quick checks of many names at once."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.model.flow import JobFlowSpec
from shared.model.types import Body
from shared.names import MAX_STEPS
from tests.webhook.make import flow, known, review, step, template
from webhook import rules
from webhook.hints.names import are_labels, label_fault
from webhook.subject.subjects import FlowSubject
from webhook.verdict.flow_admissions import JOBFLOW
from webhook.verdict.kind_admission import DEFAULT_OPTIONS

SPARED: Final = rules.RULES_OF_SPECIAL_STEPS | rules.WARNINGS_OF_SPECIAL_STEPS
NAMES: Final = some.sampled_from(("a", "b", "c", "a-1", "a-r2", "a-1-r3", "B", "x" * 64, "a\n"))
STEPS: Final = some.lists(
    some.builds(
        step, NAMES, *[NAMES] * 2, template=some.one_of(some.just(""), NAMES), activeDeadlineSeconds=some.just(3)
    ),
    max_size=4,
)


class PlainFlow:
    """What a rule may read that is spared plain flows: their special steps, of which there are none."""

    special = ()
    inner = ()
    nested = False
    template_name = ""
    namespace = "ns"
    resource_kinds = ()
    raw: ClassVar[Body] = {"spec": {"flows": [{"name": "a"}]}}
    lookups = known()

    class spec:
        flows = ()
        finally_ = ()


@pytest.mark.parametrize("rule", sorted(SPARED, key=lambda rule: rule.__name__), ids=lambda rule: rule.__name__)
def test_a_rule_that_plain_flows_are_spared_reads_their_special_steps_only(rule: Callable[[Any], Iterator[Any]]):
    assert list(rule(PlainFlow())) == []


@given(STEPS, STEPS, NAMES)
def test_the_rules_that_plain_flows_are_spared_would_find_nothing(steps: list[Body], last: list[Body], name: str):
    subject = _subject(flow(*(steps or [step("a")]), name=name, **{"finally": last}, params=[{"name": "1"}]))
    assert subject.is_plain
    assert [rule.__name__ for rule in SPARED if list(rule(subject))] == []


@pytest.mark.parametrize(
    "more",
    [
        {"if": "true"},
        {"switch": {"value": "params.x"}},
        {"for": {"items": ["a"]}},
        {"patch": {}},
        {"flow": {"template": "t"}},
        {"approve": {}},
        {"resource": {"manifest": {}}},
        {"retry": {"limit": 1}},
        {"outputs": [{"name": "x"}]},
        {"daemon": True},
        {"dependsOn": {"targets": [], "probe": {}}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_flow_is_not_plain_if_a_step_sets_more_than_name_template_and_targets(more: Body):
    assert [path for path, _ in _subject(flow(step("a"), step("b", **more))).special] == ["spec.flows[1]"]
    last = _subject(flow(step("a"), **{"finally": [step("b", **more)]}))
    assert [path for path, _ in last.special] == ["spec.finally[0]"]
    assert not last.is_plain


def test_a_flow_with_too_many_steps_is_judged_by_all_rules():
    assert _subject(flow(*(step(f"s{at}") for at in range(MAX_STEPS)))).is_plain
    assert not _subject(flow(*(step(f"s{at}") for at in range(MAX_STEPS + 1)))).is_plain


@given(some.lists(some.text("ab0-\nA", max_size=5) | some.sampled_from(("x" * 63, "x" * 64, "é"))))
def test_names_are_labels_if_none_has_a_fault(names: list[str]):
    assert are_labels(names) == all(label_fault(name) is None for name in names)


def test_many_names_with_many_dashes_are_judged_in_linear_time():
    assert not are_labels(["a" + "-" * 62] * 5000)


def test_existing_templates_are_looked_up_once():
    subject = _subject(flow(step("a"), step("b", template="a"), step("c")), template(name="a"))
    assert list(subject.template_bodies) == ["a"]
    assert list(subject.templates) == ["a"]


def _subject(body: Body, *others: Body) -> FlowSubject:
    subject = JOBFLOW.subject(review(body), body, known(*others), DEFAULT_OPTIONS)
    assert isinstance(subject, FlowSubject)
    assert isinstance(subject.spec, JobFlowSpec)
    return subject
