"""The CEL functions of policies give the results of kube-apiserver's ValidatingAdmissionPolicies."""

import json
from typing import Any, Final

import pytest

from shared.expressions import (
    EvalError,
    PolicyInput,
    Program,
    ResultType,
    compile_expression,
    evaluate_rule,
    policy_scope,
)
from tests.shared.expressions.against_apiserver import RECORDED
from tests.shared.expressions.kubernetes_cases import EXPRESSIONS, OBJECT

VARIABLES: Final[dict[str, Any]] = {
    "object": {"metadata": {"name": "case-1", "namespace": "default"}, **OBJECT},
    "oldObject": None,
    "request": {"operation": "CREATE", "userInfo": {"groups": ["system:masters", "system:authenticated"]}},
    "namespaceObject": {"metadata": {"name": "default"}},
}
RESULTS: Final[dict[str, str]] = json.loads(RECORDED.read_text())
# Where the CEL library cannot do otherwise, or offers more.
DIFFERENT: Final[dict[str, str]] = {
    # Operands of different number types, if both types are known in advance.
    "1 < 1.5": "invalid",
    "1u < 2": "invalid",
    # Literals of lists and maps may have elements of different types.
    "[1, 2.0] == [1.0, 2]": "true",
    "[1, 'a'].size() == 2": "true",
    "{'a': 1, 'b': 'x'}.size() == 2": "true",
    # Literal arguments are checked when the rule is evaluated.
    "'abc'.matches('[')": "error",
    "'abc'.find('[') == ''": "error",
    "timestamp('nonsense') == timestamp('2024-02-29T12:00:00Z')": "error",
    "'%d'.format(['a']) == 'a'": "error",
    # Other texts of lists and maps.
    "'%s'.format([[1, 'a']]) == '[1, a]'": "true",
    "'%s'.format([{'a': true}]) == '{a: true}'": "true",
    # Texts that Kubernetes reads as zero by mistake.
    "isQuantity('.')": "false",
    "isQuantity('Gi')": "false",
    # Macros and variables that do not exist here.
    "object.spec.names.exists_one(i, n, n == 'a')": "invalid",
    "object.spec.labels.transformMap(k, v, v + '!') == {'team': 'a!', 'env': 'prod!'}": "invalid",
    "object.spec.labels.transformMap(k, v, k == 'env', v) == {'env': 'prod'}": "invalid",
    "object.spec.labels.transformMapEntry(k, v, {v: k}) == {'a': 'team', 'prod': 'env'}": "invalid",
    "authorizer.group('apps').resource('deployments').check('create').allowed()": "invalid",
    # Functions that Kubernetes does not have, or not for these types.
    "'abc'.reverse() == 'cba'": "true",
    "['a', 'b'].sum() == 'ab'": "true",
    "quantity('50k').sign() == 1": "true",
    "quantity('-1').sign() == -1": "true",
    "quantity('0').sign() == 0": "true",
    "math.greatest(1, 2) == 2": "true",
    "math.least(1, 2) == 1": "true",
    "math.abs(-1) == 1": "true",
    "math.ceil(1.2) == 2.0": "true",
    "math.isNaN(1.0)": "false",
    "cel.bind(x, 'a', x + x) == 'aa'": "true",
}


def result(text: str) -> str:
    program = compile_expression(text, policy_scope(), ResultType.BOOL)
    if not isinstance(program, Program):
        return "invalid"
    value = evaluate_rule(program, PolicyInput(5000, VARIABLES))
    return "error" if isinstance(value, EvalError) else str(value).lower()


@pytest.mark.parametrize("group", EXPRESSIONS)
def test_expressions_give_the_results_of_kubernetes(group: str) -> None:
    wanted = {text: DIFFERENT.get(text, RESULTS[text]) for text in EXPRESSIONS[group]}
    assert {text: result(text) for text in wanted} == wanted


MORE: Final = {
    "a number as a quantity": "quantity(object.spec.number) == quantity('8')",
    "a fraction as a quantity": "quantity(object.spec.float).isLessThan(quantity('1501m'))",
    "quantities compared by operators": "quantity(object.spec.cpu) < quantity('1')",
    "a sum of quantities": "object.spec.containers.map(c, quantity(c.limits.cpu)).sum() == quantity('3')",
    "a sum of GPUs": (
        "object.spec.containers.map(c, quantity(c.?limits[?'nvidia.com/gpu'].orValue('0'))).sum() <= quantity('4')"
    ),
    "a sum of sums": "[[1, 2].sum(), [3].sum()].sum() == 6",
    "an index in an index": "['a', 'b'].indexOf(['b', 'a'][['x', 'y'].indexOf('x')]) == 1",
    "a pattern with groups in a class": "'a(b'.find('[(](b)') == '(b'",
    "lists in two variables": "[[1], [2]].all(i, l, l.max() == i + 1)",
}


@pytest.mark.parametrize("text", MORE.values(), ids=MORE)
def test_more_expressions_are_true(text: str) -> None:
    assert result(text) == "true"


@pytest.mark.parametrize(
    ("text", "wanted"),
    {
        "isURL(object.spec.long)": "error",
        "isQuantity(object.spec.long)": "false",
        "quantity(object.spec.long) == 1.0": "error",
        "format.uri().validate(object.spec.long).hasValue()": "error",
    }.items(),
)
def test_long_texts_do_not_reach_functions_in_python(text: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VARIABLES["object"]["spec"], "long", "9" * 100_000)
    assert result(text) == wanted


def test_a_pattern_must_be_a_literal() -> None:
    problems = compile_expression("'a'.find(object.spec.cpu) == ''", policy_scope(), ResultType.BOOL)
    assert "a pattern that is not a literal" in str(problems)


def test_every_result_is_recorded() -> None:
    assert set(RESULTS) == {text for texts in EXPRESSIONS.values() for text in texts}
    assert len(RESULTS) >= 150
