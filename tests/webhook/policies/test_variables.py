"""Variables, computed messages and computed defaults of policies."""

from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import flow, job, known, review, step, task
from tests.webhook.policies.make import container, judged, labelled, namespace, pods, policy
from webhook.envelope.patch import applied
from webhook.policies.missing import unknown_namespace
from webhook.verdict.admit import mutate

GPUS = [
    {"name": "containers", "expression": "object.spec.tasks.map(t, t.template.spec.containers).flatten()"},
    {
        "name": "gpus",
        "expression": (
            "variables.containers.map(c, int(quantity(c.?resources.?limits[?'nvidia.com/gpu'].orValue(0)))).sum()"
        ),
    },
]


def messages(manifest: Body, old: Body | None = None, **spec: Any) -> list[str]:
    return [each.message for each in judged(manifest, namespace(team="vision"), policy(**spec), old=old).policies]


def gpus(count: Any) -> Body:
    return pods(containers=[container(resources={"limits": {"nvidia.com/gpu": count}})])


def test_a_rule_reads_variables() -> None:
    rules = [
        {
            "name": "gpus",
            "expression": "variables.gpus <= 4",
            "messageExpression": "'uses ' + string(variables.gpus) + ' GPUs, at most 4 are allowed'",
        }
    ]
    assert messages(gpus(4), variables=GPUS, rules=rules) == []
    assert messages(gpus("8"), variables=GPUS, rules=rules) == ["uses 8 GPUs, at most 4 are allowed"]


def test_a_computed_message_names_the_container() -> None:
    rules = [
        {
            "name": "privileged",
            "expression": "variables.privileged.size() == 0",
            "messageExpression": "'container ' + variables.privileged[0].name + ' is privileged'",
        }
    ]
    variables = [
        GPUS[0],
        {
            "name": "privileged",
            "expression": "variables.containers.filter(c, c.?securityContext.?privileged.orValue(false))",
        },
    ]
    risky = pods(containers=[container(), container(name="root", securityContext={"privileged": True})])
    assert messages(risky, variables=variables, rules=rules) == ["container root is privileged"]


@pytest.mark.parametrize("text", ["object.spec.nothing", "''", "'two\\nlines'", "'  '"])
def test_the_fixed_message_replaces_an_unusable_one(text: str) -> None:
    rules = [{"name": "r", "expression": "false", "message": "fixed", "messageExpression": text}]
    assert messages(job(), rules=rules) == ["fixed"]


def test_a_variable_that_fails_is_named_by_the_rules_that_read_it() -> None:
    variables = [{"name": "bad", "expression": "object.spec.nothing"}, {"name": "worse", "expression": "variables.bad"}]
    rules = [{"name": "r", "expression": "variables.worse == 1"}, {"name": "s", "expression": "object.kind != ''"}]
    assert messages(job(), variables=variables, rules=rules) == [
        'could not be evaluated: variable worse: variable bad: no such key: "nothing"'
    ]


def test_an_update_is_judged_by_the_fields_that_variables_read() -> None:
    spec = {
        "variables": [{"name": "queue", "expression": "object.spec.?queue.orValue('')"}],
        "rules": [{"name": "r", "expression": "variables.queue == 'good'"}],
    }
    assert messages(labelled(job(queue="bad"), a="b"), old=job(queue="bad"), **spec) == []
    assert messages(job(queue="worse"), old=job(queue="bad"), **spec) != []


BARE_JOB = {**job(), "spec": {"tasks": [task()]}}
TEAM = "namespaceObject.metadata.?labels.?team.orValue('')"


def defaulted(manifest: Body, *values: Body, labels: dict[str, str] | None = None) -> Body:
    known_objects = known(namespace(**(labels or {})), policy(defaults={"values": list(values)}))
    return applied(manifest, mutate(review(manifest), known_objects).patch)


def test_defaults_are_computed_from_the_labels_of_the_namespace() -> None:
    values = [
        {"field": "queue", "valueExpression": TEAM},
        {"field": "labels", "key": "team", "valueExpression": TEAM},
        {"field": "nodeSelector", "key": "pool", "valueExpression": f"{TEAM} + '-pool'"},
        {"field": "ttlSecondsAfterFinished", "valueExpression": "60 * 60"},
    ]
    made = defaulted(BARE_JOB, *values, labels={"team": "vision"})
    assert made["spec"]["queue"] == "vision"
    assert made["metadata"]["labels"]["team"] == "vision"
    assert made["spec"]["tasks"][0]["template"]["spec"]["nodeSelector"] == {"pool": "vision-pool"}
    assert made["spec"]["ttlSecondsAfterFinished"] == 3600
    assert defaulted(job(queue="mine"), *values, labels={"team": "vision"})["spec"]["queue"] == "mine"


@pytest.mark.parametrize("text", [TEAM, "object.spec.nothing", "1", "true"])
def test_a_default_without_a_usable_value_is_not_set(text: str) -> None:
    made = defaulted(BARE_JOB, {"field": "schedulerName", "valueExpression": text})
    assert made["spec"]["schedulerName"] == "volcano", "the webhook's own default"


@pytest.mark.parametrize("text", ["-1", "0", "'60'", "true"])
def test_seconds_of_another_type_are_not_set(text: str) -> None:
    made = defaulted(flow(step("a")), {"field": "activeDeadlineSeconds", "valueExpression": text})
    assert "activeDeadlineSeconds" not in made["spec"]


def test_the_namespace_is_read_for_computed_defaults() -> None:
    by_default = policy(defaults={"values": [{"field": "queue", "valueExpression": TEAM}]})
    by_variable = policy(
        variables=[{"name": "team", "expression": TEAM}],
        rules=[{"name": "r", "expression": "variables.team != ''"}],
    )
    for reads in (by_default, by_variable):
        assert [each.kind for each in unknown_namespace(review(job()), known(reads))] == [kinds.NAMESPACE]


FAULTY: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a variable that reads a later one": (
        {"variables": [{"name": "a", "expression": "variables.b"}, {"name": "b", "expression": "1"}]},
        [("spec.variables[0].expression", 'no variable named "b" before this')],
    ),
    "an unknown variable": (
        {
            "variables": [{"name": "gpus", "expression": "1"}],
            "rules": [{"name": "r", "expression": "variables.gpu == 1"}],
        },
        [("spec.rules[0].expression", 'did you mean "gpus"?')],
    ),
    "all variables": (
        {"rules": [{"name": "r", "expression": "variables.size() == 0"}]},
        [("spec.rules[0].expression", "variables cannot be used as a whole")],
    ),
    "a bad name": (
        {"variables": [{"name": "a-b", "expression": "1"}]},
        [("spec.variables[0].name", "letters, digits and _")],
    ),
    "two variables of one name": (
        {"variables": [{"name": "a", "expression": "1"}, {"name": "a", "expression": "2"}]},
        [("spec.variables[1].name", "Duplicate value")],
    ),
    "a message that is not a text": (
        {"rules": [{"name": "r", "expression": "true", "messageExpression": "1 + 1"}]},
        [("spec.rules[0].messageExpression", "string is needed")],
    ),
    "a rule about deletion": (
        {"rules": [{"name": "r", "expression": "request.operation != 'DELETE' || object == null"}]},
        [("spec.rules[0].expression", 'request.operation is never "DELETE"')],
    ),
    "a label without a key": (
        {"defaults": {"values": [{"field": "labels", "valueExpression": "'a'"}]}},
        [("spec.defaults.values[0].key", "name part must be non-empty")],
    ),
    "a key of another field": (
        {"defaults": {"values": [{"field": "queue", "key": "a", "valueExpression": "'a'"}]}},
        [("spec.defaults.values[0].key", "only for labels and nodeSelector")],
    ),
    "a field that is set twice": (
        {"defaults": {"queue": "q", "values": [{"field": "queue", "valueExpression": "'a'"}]}},
        [("spec.defaults.values[0].field", "Duplicate value")],
    ),
}


@pytest.mark.parametrize(("spec", "wanted"), FAULTY.values(), ids=FAULTY)
def test_a_policy_with_faulty_expressions_is_refused(spec: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    violations = judged(policy(**spec)).violations
    assert [violation.path for violation in violations][: len(wanted)] == [path for path, _ in wanted]
    for violation, (_, text) in zip(violations, wanted, strict=False):
        assert text in str(violation)
