"""Expressions give plain values or clear errors."""

import sys

import pytest

from shared.expressions import EvalError, ResultType, binding_of_attempt, evaluate, retry_scope
from tests.shared.expressions.make import bindings, program, value

VALUES = {
    "phase of a step": ('steps.train.phase == "Completed"', True),
    "step with a dash": ('steps["n-m"].phase', "Skipped"),
    "step with a leading digit": ('steps["2nd"].phase', "Completed"),
    "exit code": ("steps.evaluate.exitCode", 137),
    "reason": ("steps.evaluate.reason", "OOMKilled"),
    "attempts": ("steps.train.attempts", 2),
    "pods": ("steps.train.pods.succeeded - steps.train.pods.failed", 2),
    "output as a number": ("double(steps.train.outputs.loss) < 0.3", True),
    "output by index": ('steps.evaluate.outputs["grade"]', "A"),
    "outputs of iterations": ("steps.train.iterations.map(i, int(i.outputs.loss))", [0, 1, 2]),
    "one iteration": ("steps.train.iterations[2].outputs.loss", "2"),
    "a whole step": (
        "steps['n-m'].pods",
        {"succeeded": 0, "failed": 0},
    ),
    "params": ("int(params.n) + 1", 4),
    "chosen param": ('params["te" + "xt"]', "x"),
    "flow": ('flow.namespace + "/" + flow.name', "team-a/night"),
    "labels": ("flow.labels.app", "demo"),
    "annotation": ('flow.annotations["note"]', "hi"),
    "outcome before the end": ("flow.outcome", ""),
    "item": ("item.name", "blue"),
    "item and index": ('item.name + "-" + string(item.size + index)', "blue-3"),
    "last": ("double(last.outputs.loss) > 0.4", True),
    "range": ("range(int(params.n))", [0, 1, 2]),
    "range of nothing": ("range(-2)", []),
    "range into names": ('range(2).map(i, "shard-" + string(i))', ["shard-0", "shard-1"]),
    "split": ('steps.train.outputs.list.split(",")', ["a", "b", "c"]),
    "JSON": ("""parseJSON('{"a": [1, 2.5, null, true, "x"]}')""", {"a": [1, 2.5, None, True, "x"]}),
    "JSON scalar": ("parseJSON('7') == 7", True),
    "two JSON texts keep apart": (
        """[parseJSON('[1]'), parseJSON('[2]'), parseJSON('{"a":1}')]""",
        [[1], [2], {"a": 1}],
    ),
    "two ranges keep apart": ("[range(1), range(2)]", [[0], [0, 1]]),
    "quantities compare": ('quantity("1Gi") > quantity("500Mi")', True),
    "quantities are exact where doubles are": ('quantity("100m") == quantity("0.1")', True),
    "null": ("null", None),
    "nulls inside": ('{"a": [null], "b": null}', {"a": [None], "b": None}),
    "optional": ('{"a": 1}[?"b"].orValue(2)', 2),
    "math": ("math.greatest([1, index, 7])", 7),
    "macro over a map": ("flow.labels.exists(key, key == 'app')", True),
    "loop variable hides a variable": ("[1, 2].all(steps, steps > 0)", True),
    "text beyond ASCII": ('"é😀".size()', 2),
    "an error that does not matter": ("1 / 0 > 1 || true", True),
}


@pytest.mark.parametrize(("text", "wanted"), VALUES.values(), ids=VALUES)
def test_an_expression_gives_a_plain_value(text: str, wanted: object) -> None:
    found = value(text)
    assert found == wanted
    assert type(found) is type(wanted)


ERRORS = {
    "division": ("1 / 0", "divide by zero"),
    "no number": ("int(steps.evaluate.outputs.grade)", "cannot convert string to int"),
    "absent key": ('flow.labels["nope"]', 'no such key: "nope"'),
    "absent key of an item": ("item.colour", 'no such key: "colour"'),
    "wrong operator at run time": ("item.name > 3", "No matching overloads found"),
    "index": ("[1][3]", "index=3 size=1"),
    "error inside a list": ("[1, 2 / 0]", "divide by zero"),
    "long range": ('range(int("10001"))', "range(10001): at most 10000 numbers"),
    "range too long for what is done with it": (
        'range(int("2001")).map(i, i)',
        "range(2001): at most 2000 numbers in this expression",
    ),
    "too many iterations": (
        "range(200).all(a, range(200).all(b, a + b >= 0))",
        "its loops take 10000 iterations or more",
    ),
    "not JSON": ("parseJSON('{')", "parseJSON: not JSON: "),
    "no surrogates out of JSON": (r"""parseJSON('"\\ud800"')""", "parseJSON: not JSON: "),
    "no quantity": ('quantity("1Gu")', "unable to parse quantity's suffix"),
    "infinity": ("1.0 / 0.0", "the result contains inf, which JSON does not have"),
    "number as key": ("{1: 2}", "the result contains the key 1, which JSON does not have"),
    "bytes inside": ('[dyn(b"a")]', "the result contains a bytes, which JSON does not have"),
    "time inside": ('{"a": dyn(duration("1s"))}', "the result contains a duration, which JSON does not have"),
}


@pytest.mark.parametrize(("text", "wanted"), ERRORS.values(), ids=ERRORS)
def test_a_run_time_error_is_returned_as_a_value(text: str, wanted: str) -> None:
    found = value(text)
    assert isinstance(found, EvalError)
    assert wanted in str(found)


MISFITS = {
    "bool": ("item.name", ResultType.BOOL, "the result is a string; bool is needed"),
    "list": ("item.name", ResultType.LIST, "the result is a string; list is needed"),
    "switch": ("item", ResultType.STRING_INT_BOOL, "the result is a map; string, int or bool is needed"),
    "null for a switch": ("dyn(null)", ResultType.STRING_INT_BOOL, "the result is null; string, int or bool is needed"),
}


@pytest.mark.parametrize(("text", "result", "wanted"), MISFITS.values(), ids=MISFITS)
def test_an_untyped_value_of_the_wrong_type_is_an_error(text: str, result: ResultType, wanted: str) -> None:
    assert str(value(text, result)) == wanted


def test_retry_sees_the_attempt() -> None:
    compiled = program("attempt.exitCode in [137, 143] && attempt.number < 3", retry_scope([], []), ResultType.BOOL)
    attempt = binding_of_attempt("Failed", exit_code=137, message="killed", duration_seconds=1.5, number=2)
    assert evaluate(compiled, {"attempt": attempt}) is True
    assert evaluate(compiled, {"attempt": binding_of_attempt("Failed", exit_code=1)}) is False


def test_an_input_above_the_limit_of_the_expression_is_an_error() -> None:
    compiled = program('params.text.split("").map(a, params.text.split("")).size() > 0')
    allowed = compiled.limits[0].bytes
    assert evaluate(compiled, bindings(params={"text": "x" * 20})) is True
    found = evaluate(compiled, bindings(params={"text": "x" * (allowed + 1)}))
    assert str(found) == f"an input has {allowed + 1} bytes; this expression may have at most {allowed}"


def test_a_missing_binding_is_an_error_not_an_exception() -> None:
    assert isinstance(evaluate(program("item.name"), {}), EvalError)


def test_returning_null_keeps_the_reference_count_of_none() -> None:
    compiled = program('[null, {"a": null}, parseJSON("null")]')
    evaluate(compiled, {})
    before = sys.getrefcount(None)
    for _ in range(200):
        evaluate(compiled, {})
    assert sys.getrefcount(None) >= before - 50
