"""An update is refused only for new violations: random policies, objects and updates."""

import copy
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model.types import Body
from tests.webhook.inprocess.generate import changed, random_object, random_policy
from tests.webhook.make import known, review
from tests.webhook.policies.make import namespace
from webhook.verdict.admit import policy_verdict
from webhook.verdict.kind_admission import DEFAULT_OPTIONS

_POLICIES = 3
Found = list[tuple[str, str, str, str]]


def findings(policies: list[Body], new: Body, old: Body | None = None) -> Found:
    """(policy, rule, path, message) of all violations of policies, also of those that warn or audit."""
    verdict = policy_verdict(review(new, old), known(*policies, namespace(team="vision")), DEFAULT_OPTIONS)
    return sorted((each.policy, each.rule, each.path, str(each.violation)) for each in verdict.policies)


def drawn(seed: int) -> tuple[random.Random, list[Body], Body]:
    """Policies for objects with any labels, and an object."""
    rng = random.Random(seed)
    policies = [random_policy(rng, f"p{at}") for at in range(_POLICIES)]
    for each in policies:
        # An objectSelector selects also what had the labels before the update.
        each["spec"].get("match", {}).pop("objectSelector", None)
    return rng, policies, random_object(rng, "x")


def lists(value: Any) -> Iterator[list[Any]]:
    """The lists of elements with names: steps, tasks and containers."""
    if isinstance(value, dict | list):
        inner = value if isinstance(value, list) else list(value.values())
        if isinstance(value, list) and value and all(isinstance(each, dict) and "name" in each for each in value):
            yield value
        for each in inner:
            yield from lists(each)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_an_update_that_only_moves_elements_or_sets_metadata_of_no_rule_has_no_violation(seed: int) -> None:
    rng, policies, stored = drawn(seed)
    new = copy.deepcopy(stored)
    new["metadata"] |= {"annotations": {"note": "x"}, "finalizers": ["a/b"], "resourceVersion": "7"}
    for each in lists(new["spec"]):
        rng.shuffle(each)
    assert findings(policies, new, stored) == []


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_an_update_has_no_violation_that_the_object_would_not_have_if_it_were_created(seed: int) -> None:
    rng, policies, stored = drawn(seed)
    new = changed(rng, stored)
    at_once, updated = findings(policies, new), findings(policies, new, stored)
    assert set(updated) <= set(at_once)
    if not findings(policies, stored):
        assert updated == at_once
