"""Faults of match.users, match.operations, validity, countPer and labelValues, each with the field, the value and a remedy."""

from typing import Any

import pytest

from shared.policy import CompiledPolicy, compile_policy

RULE = {"name": "r", "expression": "true"}
QUOTA = {"maxActiveFlows": 1}


def window(**fields: Any) -> dict[str, Any]:
    return {"validity": {"windows": [{"schedule": "0 0 * * *", "duration": "1h", **fields}]}}


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a user pattern": ({"match": {"users": {"names": ["a["]}}}, "spec.match.users.names[0]", "cannot be in a name"),
    "an account": (
        {"match": {"users": {"serviceAccounts": ["ci/a", "ci"]}}},
        "spec.match.users.serviceAccounts[1]",
        "must be NAMESPACE/NAME",
    ),
    "deletions of Jobs": (
        {"match": {"operations": ["DELETE"], "kinds": ["Job"]}, "rules": [RULE]},
        "spec.match.operations",
        "only deletions of JobFlow, JobTemplate are judged",
    ),
    "deletions without rules": ({"match": {"operations": ["DELETE"]}}, "spec.rules", "judged by rules only"),
    "an operation that never comes": (
        {"rules": [{"name": "r", "expression": "request.operation != 'DELETE'"}]},
        "spec.rules[0].expression",
        'judges CREATE and UPDATE only, so request.operation is never "DELETE"',
    ),
    "an operation that is not matched": (
        {"match": {"operations": ["DELETE"]}, "rules": [{"name": "r", "expression": "request.operation == 'CREATE'"}]},
        "spec.rules[0].expression",
        'judges DELETE only, so request.operation is never "CREATE"',
    ),
    "a time of day": ({"validity": {"until": "2026-12-24"}}, "spec.validity.until", "RFC 3339"),
    "a time": ({"validity": {"from": "tomorrow"}}, "spec.validity.from", "RFC 3339"),
    "an end before the beginning": (
        {"validity": {"from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"}},
        "spec.validity.until",
        "must be later than from",
    ),
    "a schedule": (window(schedule="0 0 * *"), "spec.validity.windows[0].schedule", "4 fields, but 5 are expected"),
    "an interval": (window(schedule="@every 1h"), "spec.validity.windows[0].schedule", "must be a cron expression"),
    "a duration": (window(duration="1 hour"), "spec.validity.windows[0].duration", "invalid duration"),
    "no duration": (window(duration="0s"), "spec.validity.windows[0].duration", "from 1s to 8784h"),
    "a time zone": (window(timeZone="europe/berlin"), "spec.validity.windows[0].timeZone", 'use "Europe/Berlin"'),
    "two labels to count by": (
        {"limits": {**QUOTA, "countPer": {"objectLabel": "a", "namespaceLabel": "b"}}},
        "spec.limits.countPer",
        "name one label",
    ),
    "a quota of Jobs in a window": (
        {"limits": {"maxActiveJobs": 1}, "validity": {"from": "2026-01-01T00:00:00Z"}},
        "spec.validity",
        "cannot be combined with limits.maxActiveJobs",
    ),
    "Jobs that wait for nothing": ({"limits": {"maxHeldJobs": 1}}, "spec.limits.maxHeldJobs", "without maxActiveJobs"),
    "no label to count by": ({"limits": {**QUOTA, "countPer": {}}}, "spec.limits.countPer", "name one label"),
    "a label key": (
        {"limits": {**QUOTA, "countPer": {"objectLabel": "a b"}}},
        "spec.limits.countPer.objectLabel",
        "name part",
    ),
    "groups of nothing": (
        {"limits": {"maxSteps": 1, "countPer": {"objectLabel": "a"}}},
        "spec.limits.countPer",
        "counts nothing",
    ),
    "a quota at times": (
        {"limits": QUOTA, "validity": {"from": "2026-12-01T00:00:00Z"}},
        "spec.validity",
        "another policy",
    ),
    "a quota of users": (
        {"limits": QUOTA, "match": {"users": {"names": ["a"]}}},
        "spec.match.users",
        "another policy",
    ),
    "no value of a label": (
        {"required": {"labelValues": {"team": []}}},
        "spec.required.labelValues[team]",
        "* allows every value",
    ),
    "a pattern of a label": (
        {"required": {"labelValues": {"team": ["a|b"]}}},
        "spec.required.labelValues[team][0]",
        "cannot be in a name",
    ),
}


@pytest.mark.parametrize(("spec", "path", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_field_and_remedy(spec: dict[str, Any], path: str, words: str) -> None:
    found = compile_policy({"metadata": {"name": "p"}, "spec": spec})
    assert not isinstance(found, CompiledPolicy)
    assert any(each.path == path and words in str(each) for each in found), [str(each) for each in found]
