"""Policy rules: true means compliant, variables are untyped, and no object can make a rule costly."""

from typing import Any

import msgspec
import pytest

from shared.expressions import EvalError, PolicyInput, ResultType, evaluate_rule, policy_scope
from tests.shared.expressions.make import problems, program

JOB: dict[str, Any] = {
    "metadata": {"name": "train", "labels": {"team": "vision"}},
    "spec": {
        "queue": "gpu",
        "tasks": [
            {"name": "ps", "replicas": 2, "cpu": "500m"},
            {"name": "worker", "replicas": 8, "cpu": "2"},
        ],
    },
}


def given(job: Any = JOB, old: Any = None) -> PolicyInput:
    variables = {
        "object": job,
        "oldObject": old,
        "request": {"operation": "CREATE", "userInfo": {"username": "mei"}},
        "namespaceObject": {"metadata": {"labels": {"env": "prod"}}},
    }
    return PolicyInput(len(msgspec.json.encode(variables)), variables)


def rule(text: str, job: Any = JOB, old: Any = None) -> bool | EvalError:
    return evaluate_rule(program(text, policy_scope(), ResultType.BOOL), given(job, old))


RULES = {
    "field": ('object.spec.queue == "gpu"', True),
    "field that differs": ('object.spec.queue == "cpu"', False),
    "every task": ("object.spec.tasks.all(t, t.replicas <= 10)", True),
    "quantities": ('object.spec.tasks.all(t, quantity(t.cpu) < quantity("1500m"))', False),
    "unique names": ("object.spec.tasks.all(t, object.spec.tasks.exists_one(u, u.name == t.name))", True),
    "names made and searched": ('"ps" in object.spec.tasks.map(t, t.name)', True),
    "label present": ('has(object.metadata.labels) && "team" in object.metadata.labels', True),
    "optional": ('object.?spec.?schedulerName.orValue("volcano") == "volcano"', True),
    "sum by filter": ("object.spec.tasks.filter(t, t.replicas > 2).size() == 1", True),
    "no old object": ("oldObject == null", True),
    "request": ('request.operation == "CREATE" && request.userInfo.username != "root"', True),
    "namespace": ('namespaceObject.metadata.labels.env == "prod"', True),
}


@pytest.mark.parametrize(("text", "wanted"), RULES.values(), ids=RULES)
def test_a_rule_is_true_for_compliant_objects(text: str, wanted: bool) -> None:
    assert rule(text) is wanted


def test_a_rule_compares_old_and_new() -> None:
    text = "oldObject == null || object.spec.queue == oldObject.spec.queue"
    assert rule(text, old=JOB) is True
    assert rule(text, old={"spec": {"queue": "cpu"}}) is False


FAULTS = {
    "absent field": ('object.spec.nope == "x"', 'no such key: "nope"'),
    "no bool": ("object.spec.queue", "the result is a string; bool is needed"),
    "wrong type": ("object.spec.queue > 3", "No matching overloads found"),
}


@pytest.mark.parametrize(("text", "wanted"), FAULTS.values(), ids=FAULTS)
def test_a_rule_that_cannot_be_evaluated_is_an_error(text: str, wanted: str) -> None:
    found = rule(text)
    assert isinstance(found, EvalError)
    assert wanted in found.message


def test_a_rule_that_does_not_compile_is_refused() -> None:
    (problem,) = problems("objct.spec == 1", policy_scope(), ResultType.BOOL)
    assert str(problem) == '1:1: undeclared name "objct"; did you mean "object"?'


def test_a_rule_that_is_too_costly_for_every_object_is_refused() -> None:
    text = 'object.a.replace("", object.a).replace("", object.a) == ""'
    assert "too costly" in problems(text, policy_scope(), ResultType.BOOL)[0].message


HOSTILE = {
    "longer list than map() can bear": (
        "object.spec.map(t, t).size() >= 0",
        {"spec": [1] * 20_000},
        "a list has 20000 elements",
    ),
    "search in a loop": ("object.spec.all(t, t in object.spec)", {"spec": ["ab"] * 9000}, "a list has 9000 elements"),
    "text made longer": (
        'object.spec.replace("", "0123456789") != ""',
        {"spec": "x" * 1_500_000},
        "this rule may have at most",
    ),
    "endless list": ("object.spec.all(t, t == 1)", {"spec": [1] * 50_000}, "its loops take 10000 iterations or more"),
}


@pytest.mark.parametrize(("text", "job", "wanted"), HOSTILE.values(), ids=HOSTILE)
def test_an_object_that_would_make_a_rule_costly_is_an_error(text: str, job: Any, wanted: str) -> None:
    found = rule(text, job)
    assert isinstance(found, EvalError)
    assert wanted in found.message


def test_a_large_object_can_be_judged() -> None:
    job = {"spec": {"tasks": [{"name": f"t{index}", "command": "x" * 2000} for index in range(1000)]}}
    assert rule("object.spec.tasks.all(t, t.name.startsWith('t'))", job) is True
    assert rule("object.spec.tasks.map(t, t.name).size() == 1000", job) is True


def test_the_longest_list_is_found_at_any_depth() -> None:
    assert given({"a": [{"b": {"c": [1, 2, 3, 4, 5]}}], "d": {}}).longest_list == 5


def test_variables_are_converted_once_for_all_rules() -> None:
    shared = given()
    first = program("object.spec.queue == 'gpu'", policy_scope(), ResultType.BOOL)
    second = program("object.metadata.name == 'train'", policy_scope(), ResultType.BOOL)
    assert (evaluate_rule(first, shared), evaluate_rule(second, shared)) == (True, True)
    assert shared.activation is shared.activation
