from math import inf
from typing import Any

import pytest

from controller.decision import Decision
from controller.template.decide import decide


def template(listed: list[str] | None = None, **metadata: Any) -> dict[str, Any]:
    status = {} if listed is None else {"status": {"jobDependsOnList": listed}}
    return {"metadata": {"name": "t", "namespace": "ns", **metadata}, **status}


CASES = {
    "the first Job": (template(), ["a"], inf, Decision(status={"jobDependsOnList": ["a"]})),
    "names are sorted": (template(["a"]), ["c", "b"], inf, Decision(status={"jobDependsOnList": ["b", "c"]})),
    "nothing changed": (template(["a", "b"]), ["b", "a"], inf, Decision()),
    "no Jobs ever": (template(), [], inf, Decision()),
    "the last Job is gone": (template(["a"]), [], inf, Decision(status={})),
    "less than a second after the last write": (template(["a"]), ["b"], 0.75, Decision(requeue_after=0.25)),
    "a second after the last write": (template(["a"]), ["b"], 1.0, Decision(status={"jobDependsOnList": ["b"]})),
    "a template being deleted": (template(deletionTimestamp="2026-01-02T03:04:05Z"), ["a"], inf, Decision()),
}


@pytest.mark.parametrize(("body", "jobs", "written_ago", "want"), CASES.values(), ids=CASES.keys())
def test_status(body: dict[str, Any], jobs: list[str], written_ago: float, want: Decision) -> None:
    assert decide(body, jobs, written_ago) == want


def test_long_lists_are_written_less_often_and_are_limited() -> None:
    jobs = [f"job-{index:05}" for index in range(12_000)]
    assert decide(template(), jobs, 10.0).requeue_after == 10.0
    status = decide(template(), jobs, 20.0).status or {}
    assert len(status["jobDependsOnList"]) == 10_000


def test_other_status_fields_stay() -> None:
    body = {"metadata": {"name": "t"}, "status": {"other": 1, "jobDependsOnList": ["x"]}}
    assert decide(body, [], inf).status == {"other": 1}
