"""Placeholders are replaced once, left to right, in strings only; Kubernetes' own and escaped ones stay."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.substitution import (
    MAX_ADDED,
    MAX_DEPTH,
    Form,
    Known,
    Values,
    check,
    lookup_in,
    references_in,
    substitute,
)

VALUES = Values(
    params={"n": "3", "image": "reg/x:1", "tricky": "$(params.n)"},
    flow_name="night",
    flow_namespace="team-a",
    step_name="train",
    outputs={"prep-1": {"path": "/data", "empty": ""}},
    item={"name": "blue", "size": 2, "tags": ["a"]},
    index=7,
)


def replaced(value: Any, values: Values = VALUES) -> Any:
    found = substitute(value, lookup_in(values))
    assert found.faults == ()
    return found.value


STRINGS = {
    "param": ("$(params.image)", "reg/x:1"),
    "inside text": ("--epochs=$(params.n)!", "--epochs=3!"),
    "several": ("$(params.n)$(index)$(params.n)", "373"),
    "item key": ("$(item.name)", "blue"),
    "item number": ("$(item.size)", "2"),
    "item list": ("$(item.tags)", '["a"]'),
    "whole item": ("$(item)", '{"name":"blue","size":2,"tags":["a"]}'),
    "flow": ("$(flow.namespace)/$(flow.name)", "team-a/night"),
    "step": ("$(step.name)", "train"),
    "output": ("$(steps.prep-1.outputs.path)/x", "/data/x"),
    "empty output": ("[$(steps.prep-1.outputs.empty)]", "[]"),
    "not read again": ("$(params.tricky)", "$(params.n)"),
    "made by two": ("$$(params.n)", "$$(params.n)"),
    "escaped twice": ("$$$$(params.n)", "$$$$(params.n)"),
    "escape before a reference": ("$$$(params.n)", "$$3"),
    "of Kubernetes": ("$(POD_NAME) $(HOME)", "$(POD_NAME) $(HOME)"),
    "similar to ours": ("$(paramsn) $(items) $(flow) $(step)", "$(paramsn) $(items) $(flow) $(step)"),
    "shell": ("$(date +%s) `x` $HOME ${params.n}", "$(date +%s) `x` $HOME ${params.n}"),
    "unclosed": ("$(params.n", "$(params.n"),
    "nested": ("$(params.$(params.n))", "$(params.3)"),
    "spaces": ("$( params.n )", "$( params.n )"),
    "none": ("plain $ text ( )", "plain $ text ( )"),
}


@pytest.mark.parametrize(("text", "wanted"), STRINGS.values(), ids=STRINGS)
def test_a_string_is_substituted(text: str, wanted: str) -> None:
    assert replaced(text) == wanted


def test_strings_are_found_anywhere_but_in_keys() -> None:
    value = {"a": [{"$(params.n)": "$(params.n)"}, 1, None, True, 2.5], "b": {"c": {"d": "$(index)"}}}
    assert replaced(value) == {"a": [{"$(params.n)": "3"}, 1, None, True, 2.5], "b": {"c": {"d": "7"}}}


def test_the_input_value_is_not_changed() -> None:
    value = {"a": ["$(params.n)"], "b": {"c": "plain"}}
    copy = replaced(value)
    copy["b"]["c"] = "changed"
    assert value == {"a": ["$(params.n)"], "b": {"c": "plain"}}


def test_a_reference_without_a_value_is_a_fault_and_stays() -> None:
    found = substitute({"args": ["$(params.n) $(params.nope)", "$(flow.uid)"]}, lookup_in(VALUES), "spec")
    assert found.value == {"args": ["3 $(params.nope)", "$(flow.uid)"]}
    assert [(fault.path, fault.text) for fault in found.faults] == [
        ("spec.args[0]", "$(params.nope)"),
        ("spec.args[1]", "$(flow.uid)"),
    ]
    assert found.faults[0].message == "it has no value here"
    assert found.faults[1].message.startswith("no such reference; known: $(params.NAME), $(item),")


@pytest.mark.parametrize("text", ["$(item)", "$(item.name)", "$(index)"])
def test_the_loop_has_values_only_in_loops(text: str) -> None:
    outside = Values(params={}, flow_name="f", flow_namespace="ns", step_name="s")
    assert substitute(text, lookup_in(outside)).faults


def test_loop_items_may_be_strings() -> None:
    values = Values(params={}, flow_name="f", flow_namespace="ns", step_name="s", item="blue", index=0)
    assert replaced("$(item)-$(index)", values) == "blue-0"
    assert substitute("$(item.name)", lookup_in(values)).faults


def test_references_are_listed_in_order_with_their_paths() -> None:
    value = {"a": ["$(steps.n-m.outputs.k) $(params.n)"], "labels": {"x/y": "$(item.k)"}}
    found = [(reference.path, reference.form, reference.step, reference.key) for reference in references_in(value)]
    assert found == [
        ("a[0]", Form.OUTPUT, "n-m", "k"),
        ("a[0]", Form.PARAM, "", "n"),
        ("labels[x/y]", Form.ITEM_KEY, "", "k"),
    ]


KNOWN = Known(
    params=["epochs"],
    steps=["prep", "later"],
    upstream=["prep"],
    outputs={"prep": ["path"]},
    loop=True,
    item_keys=["name"],
)
CHECKS = {
    "known param": ("$(params.epochs)", ""),
    "unknown param": ("$(params.epoch)", 'no param named "epoch"; did you mean "epochs"?'),
    "empty param": ("$(params.)", "no such reference;"),
    "known output": ("$(steps.prep.outputs.path)", ""),
    "unknown output": ("$(steps.prep.outputs.pat)", 'step "prep" has no output "pat"; did you mean "path"?'),
    "unknown step": ("$(steps.pre.outputs.path)", 'no step named "pre"; did you mean "prep"?'),
    "later step": ("$(steps.later.outputs.x)", 'step "later" does not end before this one starts;'),
    "other field of a step": ("$(steps.prep.phase)", "no such reference;"),
    "known item key": ("$(item.name)", ""),
    "unknown item key": ("$(item.nam)", 'the loop\'s items have no key "nam"; did you mean "name"?'),
    "index": ("$(index)", ""),
    "flow": ("$(flow.name)$(flow.namespace)$(step.name)", ""),
    "unknown flow field": ("$(flow.nam)", "no such reference;"),
    "of Kubernetes": ("$(NAME)", ""),
}


@pytest.mark.parametrize(("text", "wanted"), CHECKS.values(), ids=CHECKS)
def test_references_are_checked_before_they_have_values(text: str, wanted: str) -> None:
    messages = [fault.message for fault in check(references_in(text), KNOWN)]
    assert len(messages) == bool(wanted)
    assert not wanted or messages[0].startswith(wanted)


def test_outside_a_loop_its_references_are_refused() -> None:
    faults = check(references_in(["$(item)", "$(item.k)", "$(index)"]), Known())
    assert [fault.message for fault in faults] == ["it has a value only in a step with `for`"] * 3


def test_keys_of_items_that_are_not_known_yet_are_accepted() -> None:
    assert check(references_in("$(item.any)"), Known(loop=True)) == []
    (fault,) = check(references_in("$(item.any)"), Known(loop=True, item_keys=()))
    assert fault.message == "the loop's items have no keys; write $(item)"


def test_a_small_template_cannot_become_a_huge_object() -> None:
    values = Values(params={"big": "x" * 4096}, flow_name="f", flow_namespace="ns", step_name="s")
    found = substitute(["$(params.big)" * 10_000], lookup_in(values))
    assert len(found.faults) == 1
    assert "no object may be that large" in found.faults[0].message
    assert len(found.value[0]) < 2 * MAX_ADDED


def test_a_deeply_nested_value_raises_no_recursion_error() -> None:
    value: Any = "$(params.n)"
    for _ in range(5000):
        value = [value]
    assert references_in(value) == []
    assert substitute(value, lookup_in(VALUES)).faults == ()
    shallow: Any = "$(params.n)"
    for _ in range(MAX_DEPTH):
        shallow = [shallow]
    assert len(references_in(shallow)) == 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("$()params.nitemx ", max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(_json)
def test_the_references_found_are_those_replaced(value: Any) -> None:
    seen: list[Any] = []

    def lookup(reference: Any) -> str:
        seen.append(reference)
        return "#"

    substitute(value, lookup)
    assert seen == [reference for reference in references_in(value) if reference.form is not Form.UNKNOWN]


@given(_json)
def test_a_value_without_our_references_stays_the_same(value: Any) -> None:
    if not references_in(value):
        assert substitute(value, lookup_in(VALUES)).value == value
