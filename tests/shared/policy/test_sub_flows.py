"""Which flows are counted in the place of another one that a step of them runs."""

from typing import Any

import pytest

from shared.model.types import Body
from shared.policy.quota.sub_flows import runs_as_step


def reference(name: str, uid: str, **more: Any) -> Body:
    return {
        "apiVersion": "flow.volcano.sh/v1alpha1",
        "kind": "JobFlow",
        "name": name,
        "uid": uid,
        "controller": True,
        **more,
    }


def child(
    name: str = "parent-sub",
    *,
    step: str = "sub",
    attempt: str = "0",
    index: str | None = None,
    owner_name: str = "parent",
    owner_uid: str = "",
    **owner: Any,
) -> Body:
    labels = {"flow.volcano.sh/step": step, "flow.volcano.sh/attempt": attempt}
    labels |= {} if index is None else {"flow.volcano.sh/iteration": index}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid of {name}",
            "labels": labels,
            "ownerReferences": [reference(owner_name, owner_uid or f"uid of {owner_name}", **owner)],
        }
    }


def parent(status: Body | None = None, **metadata: Any) -> Body:
    steps = [{"name": "plain"}, {"name": "sub", "flow": {"template": "t"}}]
    return {
        "metadata": {"name": "parent", "uid": "uid of parent", **metadata},
        "spec": {"flows": steps},
        "status": {"state": {"phase": "Running"}, **(status or {})},
    }


def sub(**state: Any) -> Body:
    return {"steps": [{"name": "sub", **state}]}


# flow, the flow of the name "parent", by the reference and spec, also by the status
CASES: dict[str, tuple[Body, Body | None, bool, bool]] = {
    "the step's flow, not recorded yet": (child(), parent(), True, True),
    "the step's flow": (child(), parent(sub(phase="Running", attempts=1)), True, True),
    "the next attempt": (
        child("parent-sub-r1", attempt="1"),
        parent(sub(phase="Retrying", attempts=1)),
        True,
        True,
    ),
    "an attempt far ahead": (
        child("parent-sub-r7", attempt="7"),
        parent(sub(phase="Running", attempts=1)),
        True,
        False,
    ),
    "an attempt that is over": (child(), parent(sub(phase="Running", attempts=3)), True, False),
    "the flow of an ended step": (child(), parent(sub(phase="Completed", attempts=1)), True, False),
    "an iteration": (
        child("parent-sub-4", index="4"),
        parent(sub(attempts=1, iterations={"completedIndexes": "0-3"})),
        True,
        True,
    ),
    "an iteration that is over": (
        child("parent-sub-2", index="2"),
        parent(sub(attempts=1, iterations={"completedIndexes": "0-3"})),
        True,
        False,
    ),
    "another name": (child("mine"), parent(), False, False),
    "a step without a flow": (child("parent-plain", step="plain"), parent(), False, False),
    "no such step": (child("parent-x", step="x"), parent(), False, False),
    "no such owner": (child(), None, False, False),
    "an owner of another uid": (child(owner_uid="other"), parent(), False, False),
    "an owner that has ended": (child(), parent({"state": {"phase": "Succeed"}}), False, False),
    "an owner that is being deleted": (child(), parent(deletionTimestamp="2026-01-02T03:04:05Z"), False, False),
    "not its controller": (child(controller=False), parent(), False, False),
    "a JobFlow of another group": (child(apiVersion="evil.io/v1"), parent(), False, False),
    "malformed references": (
        {"metadata": {"name": "f", "ownerReferences": ["x", {"kind": 1}]}},
        parent(),
        False,
        False,
    ),
    "a malformed attempt": (child(attempt="x"), parent(), False, False),
}


@pytest.mark.parametrize(("flow", "owner", "lenient", "strict"), CASES.values(), ids=CASES)
def test_an_owner_counts_if_it_really_has_this_child(
    flow: Body, owner: Body | None, lenient: bool, strict: bool
) -> None:
    known = {} if owner is None else {"parent": owner}
    assert runs_as_step(flow, known.get) is lenient
    assert runs_as_step(flow, known.get, strict=True) is strict


def test_a_circle_of_owners_does_not_hide_all_of_its_flows() -> None:
    owners = {"ring": "ring-sub-sub", "ring-sub": "ring", "ring-sub-sub": "ring-sub"}
    ring = {
        name: {**child(name, owner_name=owner), "spec": {"flows": [{"name": "sub", "flow": {"template": "t"}}]}}
        for name, owner in owners.items()
    }
    assert [runs_as_step(flow, ring.get) for flow in ring.values()] == [False, True, True]
