"""Operators on values write CEL that means what the same operators mean in Python."""

import math
import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobflow import Flow, index, item, last, this
from jobflow.expressions.cel_value import BoolValue, CelValue
from jobflow.expressions.number_value import NumberValue
from jobflow.expressions.references import ParamValues
from jobflow.expressions.step_values import NamedStepValues
from shared.expressions import Program, ResultType, binding_of_step, compile_expression, evaluate, flow_scope

NUMBERS: Final = {"one": 1, "two": 2, "minus": -3, "big": 40}
TEXTS: Final = {"hello": "hello", "empty": "", "quote": 'a "b" \\ \n é', "number": "7"}
PARAMS: Final = ParamValues("f", (*NUMBERS, *TEXTS))
VALUES: Final = {"params": {**{name: str(value) for name, value in NUMBERS.items()}, **TEXTS}}


def value_of(expression: CelValue, kind: ResultType = ResultType.BOOL) -> Any:
    scope = flow_scope(("tr-a",), ("tr-a",), {"tr-a": ("loss",)}, (*NUMBERS, *TEXTS))
    program = compile_expression(expression.cel, scope, kind)
    assert isinstance(program, Program), (expression.cel, program)
    iterations = [binding_of_step("Failed", exit_code=3), binding_of_step("Completed")]
    step = binding_of_step("Completed", outputs={"loss": "0.25"}, attempts=2, iterations=iterations)
    return evaluate(program, {**VALUES, "steps": {"tr-a": step}})


WRITTEN: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
Pair = tuple[NumberValue, float]
LEAVES: Final = [(PARAMS[name].as_int(), value) for name, value in NUMBERS.items()]
REALS: Final = [(PARAMS[name].as_float(), float(value)) for name, value in NUMBERS.items()]


@st.composite
def numbers(draw: st.DrawFn, depth: int = 3) -> Pair:
    if not depth or draw(st.booleans()):
        return draw(st.sampled_from([*LEAVES, *REALS]))
    left, one = draw(numbers(depth - 1))
    if draw(st.booleans()):
        right, other = draw(numbers(depth - 1))
    else:
        other = draw(st.integers(-9, 9) | st.sampled_from([0.5, -2.25]))
        right = other  # a plain number
    kind = draw(st.sampled_from("+-*/n"))
    if kind == "n":
        return -left, -one
    if kind == "/":
        return (left / right, one / other) if other else (left, one)
    calculate: dict[str, Callable[[Any, Any], Any]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
    }
    return calculate[kind](left, right), calculate[kind](one, other)


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> tuple[BoolValue, bool]:
    if not depth or draw(st.booleans()):
        (left, one), (right, other) = draw(numbers(2)), draw(numbers(2))
        compare: Callable[[Any, Any], Any] = draw(
            st.sampled_from([lambda a, b: a < b, lambda a, b: a <= b, lambda a, b: a > b, lambda a, b: a >= b])
        )
        return compare(left, right), compare(one, other)
    (left_condition, holds), (right_condition, too) = draw(conditions(depth - 1)), draw(conditions(depth - 1))
    kind = draw(st.sampled_from("&|~"))
    if kind == "~":
        return ~left_condition, not holds
    return (
        (left_condition & right_condition, holds and too)
        if kind == "&"
        else (
            left_condition | right_condition,
            holds or too,
        )
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine takes its time
@given(conditions())
def test_a_condition_means_in_cel_what_it_means_in_python(condition: tuple[BoolValue, bool]) -> None:
    expression, wanted = condition
    assert value_of(expression) is wanted, expression.cel


@settings(deadline=None)
@given(WRITTEN, WRITTEN)
def test_any_text_is_compared_as_it_is(text: str, other: str) -> None:
    scope = flow_scope((), (), params=("p",))
    program = compile_expression((ParamValues("f", ("p",)).p == text).cel, scope, ResultType.BOOL)
    assert isinstance(program, Program), program
    assert evaluate(program, {"params": {"p": text}}) is True
    assert evaluate(program, {"params": {"p": other}}) is (text == other)


@pytest.mark.parametrize("text", ["\0", "a\ud800"])
def test_a_text_that_no_cluster_could_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="that texts in the cluster cannot have"):
        PARAMS.hello == text  # noqa: B015


STEP: Final = NamedStepValues("tr-a", ["loss"])
TRUE: Final[dict[str, BoolValue]] = {
    "an output as a number": STEP.outputs["loss"].as_float() < 0.5,
    "a phase": STEP.phase == "Completed",
    "attempts": STEP.attempts >= 2,
    "iterations, any": STEP.iterations.any(lambda each: each.exit_code == 3),
    "iterations, all": STEP.iterations.all(lambda each: each.phase.is_in(["Failed", "Completed"])),
    "iterations, counted": STEP.iterations.size() == 2,
    "an iteration by its number": STEP.iterations[0].phase == "Failed",
    "texts": PARAMS.hello.startswith("he") & PARAMS.hello.endswith("lo") & PARAMS.hello.contains("ll"),
    "a pattern": PARAMS.hello.matches("^h.*o$"),
    "joined": PARAMS.hello + "-" + PARAMS.number == "hello-7",
    "joined from the left": "say " + PARAMS.hello == "say hello",
    "upper case": PARAMS.hello.upper().lower() == "hello",
    "length": PARAMS.hello.length() == 5,
    "one of": PARAMS.hello.is_in(["hello", "world"]),
    "order of texts": PARAMS.hello < "world",
    "split": PARAMS.hello.split("l").size() == 3,
    "in a split": PARAMS.hello.split("l").contains("he"),
    "remainder": PARAMS.big.as_int() % 7 == 5,
    "without its fraction": (PARAMS.big.as_int() / 3).as_int() == 13,
    "quotes and line breaks": PARAMS.quote == TEXTS["quote"],
    "not equal": ~(PARAMS.hello == "x") & (PARAMS.hello != "y"),
}


@pytest.mark.parametrize("case", TRUE)
def test_what_values_offer(case: str) -> None:
    assert value_of(TRUE[case]) is True, TRUE[case].cel


def test_json_is_read_by_key_and_index() -> None:
    scope = flow_scope((), (), params=("p",))
    value = ParamValues("f", ("p",)).p.as_json()
    condition = (value["a"][1] == 2) & (value["b"].as_text() == "x") & value["c"].as_bool()
    program = compile_expression(condition.cel, scope, ResultType.BOOL)
    assert isinstance(program, Program), program
    assert evaluate(program, {"params": {"p": '{"a": [1, 2], "b": "x", "c": true}'}}) is True


REFUSED: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "and": (lambda: (index < 1) and (index > 2), "write & for `and`"),
    "not": (lambda: not (index < 1), "~ for `not`"),
    "a chain": (lambda: 0 < index < 3, "(x > 0) & (x < 1) for 0 < x < 1"),
    "in a list": (lambda: PARAMS.hello in ["a", "b"], "x.is_in([...]) for `in`"),
    "in a text": (lambda: "a" in PARAMS.hello, "value.contains(...)"),
    "if": (lambda: 1 if index < 3 else 2, "step.when(...) for `if`"),
    "a text and a number": (lambda: PARAMS.one < 3, ".as_int() or .as_float()"),
    "a number and a text": (lambda: index < PARAMS.one, "write .as_int() or .as_float() behind it"),
    "a computed value in a string": (lambda: f"{STEP.phase}", "cannot stand in a string"),
    "str of a condition": (lambda: str(index < 3), "cannot stand in a string"),
    "a format": (lambda: f"{PARAMS.one:>5}", "cannot be formatted"),
    "iteration over a value": (lambda: list(PARAMS.hello), "not iterable"),
    "& without parentheses": (lambda: (index < 3) & PARAMS.hello, "put comparisons in parentheses"),
    "a number that is none": (lambda: index < math.inf, "cannot be written"),
    "an output that is not declared": (lambda: STEP.outputs["los"], 'did you mean "loss"?'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_python_would_decide_at_once_is_refused(case: str) -> None:
    use, wanted = REFUSED[case]
    with pytest.raises((TypeError, ValueError, KeyError), match=re.escape(wanted)):
        use()


def test_references_stand_in_strings() -> None:
    with Flow("f", params={"day": "1"}) as f:
        pass
    said = f"{f.params.day} {STEP.outputs['loss']} {item} {item['lr']} {index} {this.name} {this.namespace} {this.step}"
    assert said == (
        "$(params.day) $(steps.tr-a.outputs.loss) $(item) $(item.lr) $(index) $(flow.name) $(flow.namespace) $(step.name)"
    )


def test_the_iteration_before() -> None:
    condition = (index == 0) | (last.outputs["accuracy"].as_float() < 0.9)
    assert condition.cel == "index == 0 || double(last.outputs.accuracy) < 0.9"
