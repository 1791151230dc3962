"""No accepted expression can take long or fill the memory, whatever its input."""

import resource

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.expressions import EvalError, Program, ResultType, binding_of_step, compile_expression, evaluate
from shared.expressions.cost.bound import MAX_LOOP_DEPTH, MAX_MEMORY_BYTES, MAX_VALUE_BYTES
from shared.expressions.cost.function_costs import RULES
from tests.shared.expressions.make import SCOPE, bindings, problems, program, value

# This chain took 23 s and 6 GiB without a bound.
CHAIN = '"aaaaaaaaaaaaaaaa"' + '.replace("a", "aaaaaaaaaaaa")' * 11

REFUSED = {
    "chain of replace": CHAIN,
    "chain over a param": "params.n" + '.replace("a", "aaaaaaaa")' * 12,
    "replace by itself": "params.n.replace('', params.n).replace('', params.n.replace('', params.n))",
    "format of format": '"%s%s%s%s".format([' * 12 + "params.n" + ", 1, 1, 1])" * 12 + ".replace('', params.n)" * 3,
    "join of joins": 'range(9000).map(x, "ab").join(range(9000).map(x, "ab").join(params.n))',
    "growing lists": "range(9000).map(x, x)",
    "lists of lists": "range(9000).map(x, range(9000)).size() > 0",
    "texts in a loop": "range(9000).all(x, (params.n + params.n + params.n).replace('', 'abc') != '')",
    "patterns in a loop": "range(9000).all(x, params.n.matches(params.text))",
    "loops too deep": "[1].all(a, " * 7 + "true" + ")" * 7,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_costly_expression_is_refused_before_it_runs(text: str) -> None:
    (problem,) = problems(text)
    assert "the expression is too costly" in problem.message


def test_a_refused_expression_names_the_position_and_the_cost() -> None:
    (problem,) = problems(CHAIN)
    assert str(problem) == ("1:143: the expression is too costly: it can take more than 1 s; make it simpler")


# Text, and its value for the largest inputs.
LARGE = {
    "doubling": ('params.n.replace("a", "aa")', None),
    "concatenation": (" + ".join(["params.n"] * 30), None),
    "split": ('steps.train.outputs.list.split("")', None),
    "range": ("range(9999).all(x, x >= 0)", True),
    "growing list": ("range(2000).map(x, params.n + params.n).size()", 2000),
    "iterations": ("steps.train.iterations.filter(i, i.outputs.loss == 'b').size()", 0),
    "pattern against text": ("params.n.matches('^(a?){50}$')", None),
    "repeated repetitions": ("params.n.matches('((((a?){10}){10}){10}b)')", False),
    "text in text": ("params.n.contains(params.text)", None),
    "negations": ("!" * 4000 + "true", True),
    "alternatives": ("||".join(["index==9"] * 400), False),
    "long list": ("[" + ",".join(["1"] * 2000) + "].size()", 2000),
    "long text": ('"' + "a" * 4000 + '".size()', 4000),
    "loops as deep as may be": ("[1, 2].all(a, " * MAX_LOOP_DEPTH + "true" + ")" * MAX_LOOP_DEPTH, True),
    "lists in lists": ("[" * 30 + "]" * 30, None),
}


@pytest.mark.parametrize(("text", "wanted"), LARGE.values(), ids=LARGE)
def test_accepted_expressions_need_little_memory(text: str, wanted: object) -> None:
    iteration = binding_of_step("Completed", outputs={"loss": "a" * 30, "list": ""})
    train = binding_of_step("Completed", outputs={"loss": "", "list": "a" * 4096}, iterations=[iteration] * 2000)
    given = bindings(steps={"train": train}, params={"n": "a" * 4096, "text": "a" * 2000 + "b"})
    compiled = program(text)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = evaluate(compiled, given)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert wanted is None or found == wanted
    assert not isinstance(found, EvalError) or "may have at most" in found.message
    assert grown * 1024 < 1.5 * MAX_MEMORY_BYTES


MALICIOUS = {
    "open parentheses": "(" * 4096,
    "closed parentheses": "(" * 2048 + ")" * 2048,
    "open lists": "[" * 4096,
    "open maps": "{" * 4096,
    "negations": "!" * 4096,
    "minus": "-" * 4096,
    "sum": "+".join(["1"] * 2048),
    "fields": "params" + ".a" * 2000,
    "calls": "size(" * 800,
    "has": "has(" * 1000,
    "ternaries": "true ? 1 : " * 370 + "1",
    "macros": "[1].map(a, " * 300,
    "quotes": '"' * 4096,
    "backslashes": "\\" * 4096,
    "dots": "." * 4096,
    "question marks": "?" * 4096,
    "comments": "//" * 2048,
    "nothing visible": "\u200b" * 1300,
    "zeros": "\0" * 4096,
}


@pytest.mark.parametrize("text", MALICIOUS.values(), ids=MALICIOUS)
def test_hostile_texts_are_refused(text: str) -> None:
    assert problems(text)


def test_no_result_is_larger_than_its_bound() -> None:
    found = value(
        'steps.train.outputs.list.replace("", "0123456789")',
        steps={"train": binding_of_step("Completed", outputs={"loss": "", "list": "a" * 4096})},
    )
    assert isinstance(found, str)
    assert len(found) < MAX_VALUE_BYTES


OFFERED = """
"a".charAt(0) | "a".indexOf("a") | "a".indexOf("a", 0) | "a".lastIndexOf("a") | "a".lowerAscii() | "a".upperAscii()
strings.quote("a") | "a".replace("a", "b") | "a".replace("a", "b", 1) | "a".split(",") | "a".split(",", 2)
"a".substring(0) | "ab".substring(0, 1) | "a".trim() | "a".reverse() | ["a"].join() | ["a"].join(",") | "%s".format([1])
math.greatest(1, 2) | math.least([1, 2]) | math.abs(-1) | math.ceil(1.5) | math.floor(1.5) | math.bitAnd(1, 2)
math.bitOr(1, 2) | math.bitXor(1, 2) | math.bitNot(1) | math.bitShiftLeft(1, 2) | math.bitShiftRight(1, 2)
math.sqrt(4) | math.isNaN(1.0) | math.isInf(1.0) | math.isFinite(1.0) | math.sign(1) | math.round(1.1) | math.trunc(1.1)
optional.of(1).value() | optional.none().orValue(1) | optional.ofNonZeroValue(1).hasValue() | {"a": 1}[?"a"].orValue(2)
optional.of(1).or(optional.none()).orValue(2) | {"a": 1}.?a.orValue(2) | [1].first().value() | [1].last().value()
[?optional.of(1)] | {?"a": optional.of(1)} | optional.of(1).optMap(x, x + 1).value()
optional.of(1).optFlatMap(x, optional.of(x)).value() | duration("1s") == duration("2s") | type(1) == int
timestamp("2020-01-01T00:00:00Z").getFullYear() | timestamp("2020-01-01T00:00:00Z").getMonth()
timestamp("2020-01-01T00:00:00Z").getDate() | timestamp("2020-01-01T00:00:00Z").getDayOfMonth()
timestamp("2020-01-01T00:00:00Z").getDayOfWeek() | timestamp("2020-01-01T00:00:00Z").getDayOfYear()
timestamp("2020-01-01T00:00:00Z").getHours() | timestamp("2020-01-01T00:00:00Z").getMinutes()
timestamp("2020-01-01T00:00:00Z").getSeconds() | timestamp("2020-01-01T00:00:00Z").getMilliseconds()
string(1) | bytes("a") == b"a" | int("1") | uint(1) | double("1") | bool("true") | dyn(1) | size("a") | "a".size()
"a" in ["a"] | "a" in {"a": 1} | "a".matches("a") | matches("a", "a") | "a".contains("a") | "a".startsWith("a")
"a".endsWith("a") | -1 | -index | !true | 1 - 1 | 1 * 1 | 1 / 1 | 1 % 2 | true ? 1 : 2 | 1 < 2 | 1 <= 2 | 1 > 2 | 1 >= 2
1 == 1 | 1 != 1 | [1] + [2] | "a" + "b" | {"a": 1}["a"] | [1][0] | quantity("1") | range(2) | parseJSON("1")
[1].all(x, true) | [1].exists(x, true) | [1].exists_one(x, true) | [1].map(x, x) | [1].map(x, true, x) | [1].filter(x, true)
""".replace("\n", " | ").split(" | ")


@pytest.mark.parametrize("text", [text for text in OFFERED if text.strip()])
def test_every_function_of_the_language_has_a_cost_and_works(text: str) -> None:
    assert not isinstance(value(text), EvalError)


_leaves = st.sampled_from(
    """1|0|"a"|"1Gi"|true|null|1.5|item|index|params.n|params.text|steps.train.phase|steps.train.outputs.list
    steps.train.iterations|flow.labels|last.outputs.loss|x|range(50)""".replace("\n", "|").split("|")
)
_functions = st.sampled_from([*sorted(name for name in RULES if name.isalpha()), "map", "filter", "all", "range"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    call = st.builds(
        lambda of, name, args: f"{of}.{name}({', '.join(args)})", inner, _functions, st.lists(inner, max_size=3)
    )
    plain = st.builds(lambda name, args: f"{name}({', '.join(args)})", _functions, st.lists(inner, max_size=3))
    loop = st.builds(
        lambda of, name, body: f"{of}.{name}(x, {body})", inner, st.sampled_from(["map", "all", "filter"]), inner
    )
    operators = st.sampled_from(["+", "==", "&&", "||", "in", "<", "-", "*", "/", "%"])
    binary = st.builds(lambda left, operator, right: f"({left} {operator} {right})", inner, operators, inner)
    lists = st.builds(lambda items: f"[{', '.join(items)}]", st.lists(inner, max_size=4))
    return st.one_of(call, plain, loop, binary, lists)


@given(st.one_of(st.recursive(_leaves, _grow, max_leaves=12), st.text(max_size=60)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_gives_a_program_or_problems_and_any_program_a_value_or_an_error(text: str) -> None:
    compiled = compile_expression(text, SCOPE, ResultType.VALUE)
    if isinstance(compiled, Program):
        evaluate(compiled, bindings())
    else:
        assert all(problem.message and problem.line >= 1 and problem.column >= 1 for problem in compiled)
