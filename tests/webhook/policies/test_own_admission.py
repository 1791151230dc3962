"""The policies themselves under admission."""

from typing import Any

import msgspec
import pytest

from shared.model.types import Body
from shared.policy import PolicyFinding
from tests.webhook.make import (
    faults,
    job,
    known,
    review,
)
from tests.webhook.policies.fields import FIELDS
from tests.webhook.policies.make import (
    DENY,
    TOLERATIONS,
    judged,
    labelled,
    policy,
)
from webhook.verdict.admit import validate

ONE = {"name": "r", "expression": "true"}
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an expression that does not parse": (
        {"rules": [{"name": "r", "expression": "object.spec ="}]},
        ["spec.rules[0].expression"],
    ),
    "a name that does not exist": (
        {"rules": [ONE, {"name": "s", "expression": "1 == 1 && objet.spec == 1"}]},
        ["spec.rules[1].expression"],
    ),
    "no bool": ({"rules": [{"name": "r", "expression": "size('x')"}]}, ["spec.rules[0].expression"]),
    "rules of one name": ({"rules": [ONE, ONE]}, ["spec.rules[1].name"]),
    "a rule without a name": ({"rules": [{"name": "", "expression": "true"}]}, ["spec.rules[0].name"]),
    "a pattern with brackets": ({"allowed": {"images": ["ok/*", "[ab]/*"]}}, ["spec.allowed.images[1]"]),
    "a pattern that no kind matches": (
        {"allowed": {"resourceKinds": ["*", "batch/v1/Job"]}, "denied": {"resourceKinds": ["jobs.batch"]}},
        ["spec.denied.resourceKinds[0]"],
    ),
    "an empty pattern": ({"exempt": {"usernames": [""]}}, ["spec.exempt.usernames[0]"]),
    "a selector's operator": (
        {"match": {"objectSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}},
        ["spec.match.objectSelector.matchExpressions[0].operator"],
    ),
    "a selector's slip": (
        {"match": {"namespaceSelector": {"matchLabel": {"a": "b"}}}},
        ["spec.match.namespaceSelector.matchLabel"],
    ),
    "a default queue": ({"defaults": {"queue": "A_b"}}, ["spec.defaults.queue"]),
    "a default label": ({"defaults": {"labels": {"a": "b c"}}}, ["spec.defaults.labels"]),
    "a default toleration": (
        {"defaults": {"tolerations": [{"key": "a", "effect": "Never"}]}},
        ["spec.defaults.tolerations[0].effect"],
    ),
    "a default node selector": ({"defaults": {"nodeSelector": {"a b": "c"}}}, ["spec.defaults.nodeSelector"]),
    "a default that it refuses": (
        {"defaults": {"queue": "a"}, "allowed": {"queues": ["b*"]}},
        ["spec.defaults.queue"],
    ),
    "a default over its limit": (
        {"defaults": {"activeDeadlineSeconds": 9}, "limits": {"maxActiveDeadlineSeconds": 8}},
        ["spec.defaults.activeDeadlineSeconds"],
    ),
    "a required label": ({"required": {"labels": ["a b"]}}, ["spec.required.labels[0]"]),
    "a resource": ({"required": {"resourceRequests": [""]}}, ["spec.required.resourceRequests[0]"]),
    "a kind that policies are not about": ({"match": {"kinds": ["Pod"]}}, ["spec.match.kinds[0]"]),
    "exceptions in no namespace": (
        {"exceptions": {"allowedNamespaces": [], "maxDuration": "1h"}},
        ["spec.exceptions.allowedNamespaces"],
    ),
    "exceptions without end": (
        {"exceptions": {"allowedNamespaces": ["a*", "[b]"], "maxDuration": "0s"}},
        ["spec.exceptions.allowedNamespaces[1]", "spec.exceptions.maxDuration"],
    ),
    "exceptions without a longest duration": (
        {"exceptions": {"allowedNamespaces": ["*"]}},
        ["spec.exceptions.maxDuration"],
    ),
    "a severity": ({"severity": "Highest"}, ["spec.severity"]),
    "a mode": ({"mode": "Deny"}, ["spec.mode"]),
}


@pytest.mark.parametrize(("spec", "paths"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_policy_is_refused(spec: dict[str, Any], paths: list[str]) -> None:
    told_ = faults(policy(**spec))
    assert list(dict.fromkeys(text.partition(": ")[0] for text in told_)) == paths
    changed = policy(**spec)
    assert faults(changed, policy()) == told_
    assert faults(labelled(changed, a="b"), changed) == []


def test_an_expression_is_refused_with_its_position_and_a_hint() -> None:
    rules = [{"name": "r", "expression": "true &&\n  objet.spec.suspend"}]
    told_ = faults(policy(rules=rules))
    assert len(told_) == 1
    assert '2:3: undeclared name "objet"; did you mean "object"?' in told_[0]


def test_every_field_of_a_good_policy_passes() -> None:
    everything: dict[str, Any] = {"match": {"kinds": ["Job"], "namespaceSelector": {"matchLabels": {"a": "b"}}}}
    everything |= {"exempt": {"usernames": ["system:serviceaccount:ns:*"], "groups": ["ops"], "namespaces": ["x"]}}
    everything |= {"defaults": {"queue": "q", "labels": {"team": "a"}, "tolerations": TOLERATIONS}}
    for rule, (spec, _, _, _) in FIELDS.items():
        part, _, _ = rule.partition(".")
        everything[part] = (
            everything.get(part, []) + spec[part] if part == "rules" else everything.get(part, {}) | spec[part]
        )
    everything["allowed"]["queues"] = ["q*"]
    assert faults(policy(**everything)) == []


def test_findings_are_plain_data() -> None:
    verdict = judged(job(), policy(**DENY))
    assert isinstance(verdict.policies[0], PolicyFinding)
    assert str(verdict.policies[0]) == "rules.never: spec: Forbidden: must hold: false"


# --- a dry run ----------------------------------------------------------------------------------------------------------

SCANNED = {"violations": 3, "lastScanTime": "2026-01-02T03:04:05Z", "observedGeneration": 4}


def stored(mode: str = "Audit", status: Body | None = None, **spec: Any) -> Body:
    made = policy(mode=mode, **{**DENY, **spec})
    return {**made, "metadata": {**made["metadata"], "generation": 4}, "status": SCANNED if status is None else status}


def warned(new: Body, old: Body | None, *, dry_run: bool = True) -> tuple[str, ...]:
    return validate(msgspec.structs.replace(review(new, old), dry_run=dry_run), known()).warnings


def test_a_dry_run_of_a_stricter_mode_tells_how_many_stored_violations_there_are() -> None:
    found = "violations by stored objects at the scan of 2026-01-02T03:04:05Z: 3"
    said = f"{found}; such objects are kept, new ones would be "
    assert warned(policy(mode="Enforce", **DENY), stored()) == (f"{said}refused",)
    assert warned(policy(mode="Warn", **DENY), stored()) == (f"{said}warned about",)
    assert warned(policy(mode="Enforce", severity="high", **DENY), stored()) == (f"{said}refused",)


UNKNOWN: dict[str, tuple[Body, Body | None, bool]] = {
    "no dry run": (policy(mode="Enforce", **DENY), stored(), False),
    "a new policy": (policy(mode="Enforce", **DENY), None, True),
    "other rules": (policy(mode="Enforce", limits={"maxSteps": 1}, **DENY), stored(), True),
    "an older scan": (policy(mode="Enforce", **DENY), stored(status={**SCANNED, "observedGeneration": 3}), True),
    "no scan": (policy(mode="Enforce", **DENY), stored(status={"observedGeneration": 4}), True),
    "no violations": (policy(mode="Enforce", **DENY), stored(status={**SCANNED, "violations": 0}), True),
    "a status of strange types": (policy(mode="Enforce", **DENY), stored(status={"violations": "3"}), True),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_count_that_is_not_at_hand_is_not_told(case: str) -> None:
    new, old, dry_run = UNKNOWN[case]
    assert warned(new, old, dry_run=dry_run) == ()
