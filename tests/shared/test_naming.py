import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import naming

JOB_NAMES = {
    "a step bears Volcano's name": (("f", "a"), "f-a"),
    "an iteration carries its index": (("f", "a", 7), "f-a-7"),
    "a further attempt carries its number": (("f", "a", None, 2), "f-a-r2"),
    "an iteration's further attempt carries both": (("f", "a", 0, 12), "f-a-0-r12"),
}


@pytest.mark.parametrize(("args", "want"), JOB_NAMES.values(), ids=JOB_NAMES.keys())
def test_job_name(args, want):
    assert naming.job_name(*args) == want


def test_the_longest_job_name_leaves_room_for_three_digits_of_retries():
    assert naming.longest_job_name("flow", "step") == "flow-step-r999"
    assert naming.longest_job_name("flow", "step", 100) == "flow-step-99-r999"


def test_a_short_label_value_is_kept():
    assert naming.label_value("ns.flow") == "ns.flow"


def test_a_long_label_value_becomes_a_prefix_and_a_hash():
    text = "namespace." + "f" * 60
    value = naming.label_value(text)
    assert re.fullmatch(r".{52}-[0-9a-f]{10}", value)
    assert value.startswith(text[:52])
    assert value != naming.label_value(text + "x")


COLLISIONS = {
    "different names do not collide": ([("a", False), ("b", True)], []),
    "a looping step and a step named as its iteration": ([("a", True), ("a-1", False)], [("a", "a-1", "a-1")]),
    "the order does not matter": ([("a-1", False), ("a", True)], [("a", "a-1", "a-1")]),
    "without a loop a and a-1 live together": ([("a", False), ("a-1", False)], []),
    "a step named as another's retry": ([("a", False), ("a-r2", False)], [("a", "a-r2", "a-r2")]),
    "a step named as an iteration's retry": ([("a", True), ("a-1-r2", False)], [("a", "a-1-r2", "a-1-r2")]),
    "two loops never collide": ([("a", True), ("a-1", True)], []),
    "a leading zero is no index": ([("a", True), ("a-01", False)], []),
    "retry 0 has no suffix": ([("a", False), ("a-r0", False)], []),
}


@pytest.mark.parametrize(("steps", "want"), COLLISIONS.values(), ids=COLLISIONS.keys())
def test_collisions(steps, want):
    assert list(naming.collisions(steps)) == want


NAME = st.lists(st.sampled_from(["a", "r1", "1", "0", "2"]), min_size=1, max_size=4).map("-".join)


@given(st.dictionaries(NAME, st.booleans(), min_size=2, max_size=5))
def test_steps_collide_exactly_if_their_jobs_can_have_the_same_name(steps):
    def names(step: str, loops: bool) -> set[str]:
        indexes = range(3) if loops else [None]
        return {naming.job_name("f", step, index, attempt) for index in indexes for attempt in range(3)}

    shared = {
        frozenset((one, other))
        for one in steps
        for other in steps
        if one < other and names(one, steps[one]) & names(other, steps[other])
    }
    assert {frozenset(pair[:2]) for pair in naming.collisions(steps.items())} == shared
