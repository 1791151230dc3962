"""Texts that do not compile are refused with their position and a remedy."""

import pytest

from shared.expressions import ResultType, Scope, flow_scope, policy_scope, retry_scope
from shared.names import MAX_EXPRESSION_BYTES
from tests.shared.expressions.make import problems, program

FIRST = {
    "unknown field": ("steps.train.phas", '1:13: undefined field "phas" of a step; did you mean "phase"?'),
    "unknown field of flow": ("flow.nmae", '1:6: undefined field "nmae" of flow; did you mean "name"?'),
    "no similar field": (
        "steps.train.pods.zzz",
        '1:18: undefined field "zzz" of pods; fields: failed, succeeded',
    ),
    "string against int": (
        "steps.train.outputs.loss > 3",
        '1:26: operator ">" does not take (string, int); params and outputs are strings: convert with int(...)',
    ),
    "int and double": ("1 + 1.5", '1:3: operator "+" does not take (int, double); convert with double(...)'),
    "dash": ("steps.n-m.phase", '1:10: steps.n-m is not a name in CEL; write steps["n-m"]'),
    "keyword": (
        'params.n == "1" && steps.train.outputs.in == "x"',
        '1:40: "in" is a keyword of CEL; write steps.train.outputs["in"]',
    ),
    "keyword as a step": ("steps.null.phase", '1:7: "null" is a keyword of CEL; write steps["null"]'),
    "leading digit": ("steps.2nd.phase", '1:6: steps.2nd is not a name in CEL; write steps["2nd"]'),
    "computed step": ('steps["tr" + "ain"].phase', '1:6: the name of a step must be a literal; write steps["NAME"]'),
    "bare steps": ("size(steps)", '1:6: steps cannot be used as a whole; name one step: steps.NAME or steps["NAME"]'),
    "in steps": (
        '"train" in steps',
        '1:12: steps cannot be used as a whole; name one step: steps.NAME or steps["NAME"]',
    ),
    "unknown step": ("steps.trian.phase", '1:7: no step named "trian"; did you mean "train"?'),
    "unknown step in has": ("has(steps.trian)", '1:5: no step named "trian"; did you mean "train"?'),
    "unknown step by index": ('steps["trian"].phase', '1:7: no step named "trian"; did you mean "train"?'),
    "step that ends later": (
        "steps.later.phase",
        '1:7: step "later" does not end before this is evaluated; make it a target, directly or through other steps',
    ),
    "undeclared output": (
        "steps.train.outputs.los",
        '1:21: step "train" has no output "los"; did you mean "loss"?',
    ),
    "undeclared output by index": (
        'steps.train.outputs["los"]',
        '1:21: step "train" has no output "los"; did you mean "loss"?',
    ),
    "step without outputs": (
        'steps["2nd"].outputs.x',
        '1:22: step "2nd" has no output "x"; step "2nd" declares no outputs',
    ),
    "undeclared output of an iteration": (
        "steps.train.iterations.all(i, i.outputs.los == '')",
        '1:41: step "train" has no output "los"; did you mean "loss"?',
    ),
    "undeclared output of the first iteration": (
        "steps.train.iterations[0].outputs.los",
        '1:35: step "train" has no output "los"; did you mean "loss"?',
    ),
    "undeclared output of last": ("last.outputs.los", '1:14: this step has no output "los"; did you mean "loss"?'),
    "unknown param": ("params.m", '1:8: no param named "m"; params: n, text'),
    "unknown variable": (
        "itm.name",
        '1:1: undeclared name "itm"; did you mean "item"?',
    ),
    "nothing similar": (
        "zzzzzz",
        '1:1: undeclared name "zzzzzz"; variables: steps, params, flow, item, index, last',
    ),
    "unknown function": ('quantty("1")', '1:1: undeclared name "quantty"; did you mean "quantity"?'),
    "attempt outside retry": ("attempt.number > 1", '1:1: undeclared name "attempt"; it exists only in retry.if'),
    "object outside policies": ("object.spec == 1", '1:1: undeclared name "object"; it exists only in a JobFlowPolicy'),
    "second line": ('true &&\n  steps.trian.phase == ""', '2:9: no step named "trian"; did you mean "train"?'),
    "after wide characters": ('"é😀" + params.m', '1:15: no param named "m"; params: n, text'),
    "a placeholder": (
        "$(params.n) == 'x'",
        "1:1: Syntax error: token recognition error at: '$'; an expression has no $(...) or {{...}} around its variables",
    ),
    "one equals sign": ("1 = 2", "1:3: Syntax error: token recognition error at: '= '; CEL compares with =="),
    "and in words": ("true and false", "1:6: syntax error: unexpected 'and'; CEL has &&, || and !"),
    "unfinished": ("1 +", "1:4: syntax error: unexpected end of the expression"),
    "nonsense": ("1 ) 2", "1:3: syntax error: unexpected ')'"),
    "empty": ("  \n ", "1:1: the expression is empty"),
    "too long": (
        '"' + "é" * 2100 + '"',
        f"1:1: the expression has 4202 bytes (at most {MAX_EXPRESSION_BYTES})",
    ),
    "no UTF-8": ('"\ud800"', "1:1: the expression is not valid UTF-8"),
    "message": ('jobflow.Step{phase: "x"}', "1:1: jobflow.Step{...} is not offered"),
    "deep": ("(" * 2000 + "1" + ")" * 2000, "1:1: the expression is nested too deeply (at most 32 levels); split"),
}


@pytest.mark.parametrize(("text", "wanted"), FIRST.values(), ids=FIRST)
def test_the_first_problem_names_place_and_remedy(text: str, wanted: str) -> None:
    assert str(problems(text)[0]).startswith(wanted)


def test_all_problems_are_reported_in_order_of_position() -> None:
    found = [
        (problem.column, problem.message) for problem in problems("steps.x.phase == params.y && steps[item] == null")
    ]
    assert found == [
        (7, 'no step named "x"'),
        (25, 'no param named "y"'),
        (35, "the name of a step must be a literal"),
    ]


def test_consequential_errors_are_not_reported() -> None:
    assert len(problems("steps.train.nope.more + 1 > 2")) == 1


WRONG_TYPES = {
    "text for a condition": ("params.n", ResultType.BOOL, 'string; bool is needed; compare it, as in ... == "true"'),
    "number for a list": ("1", ResultType.LIST, "int; list is needed"),
    "double for a switch": ("1.5", ResultType.STRING_INT_BOOL, "double; string, int or bool is needed; convert it"),
    "list for a switch": ("[1]", ResultType.STRING_INT_BOOL, "list; string, int or bool is needed"),
    "bytes as JSON": ('b"a"', ResultType.VALUE, "bytes; JSON value is needed; convert it with string(...)"),
    "time as JSON": ('duration("1s")', ResultType.VALUE, "duration; JSON value is needed; convert it with"),
    "type as JSON": ("type(1)", ResultType.VALUE, "a type or an optional; JSON value is needed"),
    "optional as JSON": ("optional.of(1)", ResultType.VALUE, "a type or an optional; JSON value is needed"),
}


@pytest.mark.parametrize(("text", "result", "wanted"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_a_result_of_the_wrong_type_is_refused(text: str, result: ResultType, wanted: str) -> None:
    assert str(problems(text, result=result)[0]).startswith(f"1:1: the result is {wanted}")


ABSENT = {
    "item without a loop": ("item", flow_scope([], [])),
    "last without a loop": ("last.phase", flow_scope([], [])),
    "attempt in a step": ("attempt.phase", flow_scope([], [], loop=True)),
    "item in retry": ("item", retry_scope([], [])),
    "steps in a policy": ("steps.a.phase", policy_scope()),
    "parseJSON in a policy": ('parseJSON("1")', policy_scope()),
}


@pytest.mark.parametrize(("text", "scope"), ABSENT.values(), ids=ABSENT)
def test_a_scope_has_only_its_own_names(text: str, scope: Scope) -> None:
    assert problems(text, scope)[0].message.startswith("undeclared name")


def test_references_are_those_of_the_whole_text() -> None:
    compiled = program(
        'steps.train.iterations.exists(i, i.phase == steps["n-m"].phase) && has(steps.evaluate) && params.n == ""'
    )
    assert compiled.steps == {"train", "n-m", "evaluate"}
    assert compiled.params == {"n"}
    assert not compiled.whole_params
    assert program("params[item.name]").whole_params
    assert program("[1].map(steps, steps)").steps == frozenset()


def test_a_text_is_compiled_once_for_all_scopes_of_a_kind() -> None:
    other = flow_scope(["a"], ["a"], loop=True)
    assert program("index > 1") is program("index > 1", other)
    assert program("index > 1") is not program("index > 1", result=ResultType.BOOL)


def test_the_same_text_can_be_valid_in_one_scope_and_invalid_in_another() -> None:
    assert program("steps.train.phase", flow_scope(["train"], ["train"])).steps == {"train"}
    assert problems("steps.train.phase", flow_scope(["train"], []))
    assert problems("steps.train.phase", flow_scope([], []))


@pytest.mark.parametrize("text", ['params.in == "x"', "params.in", 'true && params.true == "x"'])
def test_a_keyword_is_reported_once_without_consequential_errors(text: str) -> None:
    (reported,) = problems(text)
    assert "is a keyword of CEL; write params[" in str(reported)
