"""Which `rules` of a policy the API server may judge: none that would refuse what the webhook accepts."""

from typing import Any

import pytest

from shared.policy import CompiledPolicy, Compiler
from shared.policy.admission.own_rules import changed_paths, why_left
from shared.policy.in_process import defaulted_fields, in_process, without_own

JUDGED = "size(object.spec.flows) <= 2"


def compiled(expression: str, **spec: Any) -> CompiledPolicy:
    rules = [{"name": "r", "expression": expression}]
    (policy,) = Compiler().compile([{"metadata": {"name": "p"}, "spec": {"rules": rules, **spec}}]).compiled
    return policy


def why(expression: str, defaulted: tuple[str, ...] = (), **spec: Any) -> str:
    policy = compiled(expression, **spec)
    return why_left(policy.rules[0], policy, defaulted)


@pytest.mark.parametrize(
    "expression",
    [
        JUDGED,
        "object.spec.tasks.all(t, t.replicas < 3)",
        "object.metadata.name.startsWith('a')",
        "request.userInfo.username != 'x'",
        "namespaceObject.metadata.labels['team'] == 'a'",
        "object.spec.flows.all(f, f.name != 'a')",
        "has(object.metadata.labels) && 'team' in object.metadata.labels",
        "object.metadata.?annotations['team'].orValue('') != ''",
    ],
)
def test_these_are_judged_by_the_api_server_too(expression: str) -> None:
    assert why(expression) == ""


@pytest.mark.parametrize(
    ("expression", "spec", "words"),
    [
        ("has(object.spec.queue)", {}, "reads queue"),
        ("'queue' in object.spec", {}, "whole object, spec"),
        ("object.spec.all(k, k != 'x')", {}, "whole object, spec"),
        ("has(object.metadata.annotations)", {}, "whole object, spec, metadata or annotations"),
        ("object.metadata.?annotations['flow.jobflow.dev/creator'].orValue('') != ''", {}, "flow.jobflow.dev/creator"),
        ("object.spec.tasks.all(t, has(t.minAvailable))", {}, "reads minAvailable"),
        ("object.spec.tasks.all(t, has(t.name))", {}, "name of tasks"),
        ("variables.b", {"variables": [{"name": "a", "expression": "has(object.spec.queue)"},
                                       {"name": "b", "expression": "variables.a"}]}, "reads queue"),
        ("variables.applies", {"variables": [{"name": "applies", "expression": "true"}]}, "the name applies"),
        (JUDGED, {"match": {"kinds": ["CronJobFlow"]}}, "templates in other objects"),
    ],
)  # fmt: skip
def test_these_are_left_to_the_webhook(expression: str, spec: Any, words: str) -> None:
    assert words in why(expression, **spec)


def test_a_field_that_any_policy_sets_is_left_to_the_webhook() -> None:
    assert "reads labels" in why("has(object.metadata.labels)", defaulted=("labels",))


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        (JUDGED, (("spec", "flows"),)),
        ("request.userInfo.username != 'x'", (("spec",), ("metadata", "labels"), ("metadata", "annotations"))),
        ("namespaceObject.metadata.name != 'x'", (("spec",),)),
        ("object.metadata.generation > 0", ()),
        ("has(object.status.state)", ()),
    ],
)
def test_what_an_update_must_change_to_be_judged(expression: str, paths: tuple[tuple[str, ...], ...]) -> None:
    assert changed_paths(compiled(expression).rules[0]) == paths


@pytest.mark.parametrize(
    "spec",
    [
        {"exceptions": {"allowedNamespaces": ["*"], "maxDuration": "1h"}},
        {"validity": {"until": "2030-01-01T00:00:00Z"}},
        {"match": {"operations": ["DELETE"]}},
        {"match": {"users": {"names": ["a"]}}},
    ],
)
def test_a_policy_of_which_the_api_server_cannot_tell_when_it_applies_is_left_whole(spec: Any) -> None:
    expression = "oldObject.metadata.name != 'x'" if "operations" in str(spec) else JUDGED
    policy = compiled(expression, **spec)
    found = in_process(policy, defaulted_fields([policy]), own=True)
    assert found.rules == ()
    assert [each.rule for each in found.webhook_only] == ["*"]


def test_rules_are_listed_in_part_where_the_option_is_on() -> None:
    policy = compiled(JUDGED, limits={"maxSteps": 3})
    on = in_process(policy, defaulted_fields([policy]), own=True)
    assert on.rules == ("limits.maxSteps", "rules.r")
    assert [each.rule for each in on.webhook_only] == ["rules.r"]
    refused = without_own(on, "words")
    assert refused.rules == ("limits.maxSteps",)
    assert [(each.rule, each.why) for each in refused.webhook_only] == [("rules.r", "words")]
    assert in_process(policy, defaulted_fields([policy])).rules == ("limits.maxSteps",)
