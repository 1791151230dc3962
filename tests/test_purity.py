"""The check of purity finds each way in which a function can be impure."""

from itertools import count
from typing import Any

import pytest

from controller.decision import Create, Decision
from shared.kinds import POD
from tests.purity import ArgumentChanged, pure

NUMBERS = count()


class Holder:
    def __init__(self) -> None:
        self.items: list[int] = []


def test_a_pure_function_returns_its_result() -> None:
    assert pure(lambda body: {**body, "a": 1})({"b": 2}) == {"b": 2, "a": 1}


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(a=1),
        lambda body: body["list"].append(1),
        lambda body: body["list"].sort(),
        lambda body: body["deep"][0].pop("x"),
        lambda body: body["tuple"][0].clear(),
        lambda body: body["decision"].actions[0].body.setdefault("spec", {}),
    ],
    ids=["a dict", "a list", "order", "deep in it", "in a tuple", "in a struct"],
)
def test_a_changed_argument_is_found(change: Any) -> None:
    decision = Decision(actions=(Create(POD, {"metadata": {}}),))
    with pytest.raises(ArgumentChanged):
        pure(change)({"list": [2, 1], "deep": [{"x": 1}], "tuple": ({},), "decision": decision})


def test_a_changed_object_is_found() -> None:
    with pytest.raises(AssertionError, match="has changed its arguments"):
        pure(lambda box: box.items.append(1))(Holder())


def test_memory_between_calls_is_found() -> None:
    with pytest.raises(AssertionError, match="two different results"):
        pure(lambda: next(NUMBERS))()


def test_a_result_that_is_shared_between_calls_is_found() -> None:
    shared: list[int] = []

    def grow() -> list[int]:
        shared.append(1)
        return shared

    with pytest.raises(AssertionError, match="has changed the result of the first"):
        pure(grow)()
