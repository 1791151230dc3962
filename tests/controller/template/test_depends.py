from typing import Any

import pytest

from controller.decision import Decision
from controller.template.depends import decide


def template(listed: list[str] | None = None, **metadata: Any) -> dict[str, Any]:
    status = {} if listed is None else {"status": {"jobDependsOnList": listed}}
    return {"metadata": {"name": "t", "namespace": "ns", **metadata}, **status}


CASES = {
    "the first Job": (template(), ["a"], 0.0, Decision(status={"jobDependsOnList": ["a"]})),
    "names are sorted": (template(["a"]), ["c", "b"], 0.0, Decision(status={"jobDependsOnList": ["b", "c"]})),
    "nothing changed": (template(["a", "b"]), ["b", "a"], 0.0, Decision()),
    "no Jobs ever": (template(), [], 0.0, Decision()),
    "the last Job is gone": (template(["a"]), [], 0.0, Decision(status={})),
    "less than a second after the last write": (template(["a"]), ["b"], 99.25, Decision(requeue_after=0.25)),
    "a second after the last write": (template(["a"]), ["b"], 99.0, Decision(status={"jobDependsOnList": ["b"]})),
    "a template being deleted": (template(deletionTimestamp="2026-01-02T03:04:05Z"), ["a"], 0.0, Decision()),
}


@pytest.mark.parametrize(("body", "jobs", "written_at", "want"), CASES.values(), ids=CASES.keys())
def test_status(body: dict[str, Any], jobs: list[str], written_at: float, want: Decision) -> None:
    assert decide(body, jobs, written_at, now=100.0) == want


def test_long_lists_are_written_more_rarely_and_end_somewhere() -> None:
    jobs = [f"job-{index:05}" for index in range(12_000)]
    assert decide(template(), jobs, 90.0, now=100.0).requeue_after == 10.0
    status = decide(template(), jobs, 80.0, now=100.0).status or {}
    assert len(status["jobDependsOnList"]) == 10_000


def test_other_status_fields_stay() -> None:
    body = {"metadata": {"name": "t"}, "status": {"other": 1, "jobDependsOnList": ["x"]}}
    assert decide(body, [], 0.0, 100.0).status == {"other": 1}
