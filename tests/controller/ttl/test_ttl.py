from typing import Any

import pytest

from controller.decision import Decision, Delete
from controller.ttl.decide import decide
from shared.kinds import JOB
from shared.timestamp import epoch

FINISHED = "2026-01-02T03:04:05Z"


def job(phase: str = "Completed", ttl: int | None = 60, at: str | None = FINISHED, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "j", "namespace": "ns", "uid": "u", **metadata},
        "spec": {} if ttl is None else {"ttlSecondsAfterFinished": ttl},
        "status": {"state": {"phase": phase, **({"lastTransitionTime": at} if at else {})}},
    }


DELETED = Decision(actions=(Delete(JOB, "ns", "j", "u", propagation="Foreground"),))
CASES = {
    "not due": (job(), 59.5, Decision(requeue_after=0.5)),
    "due": (job(), 60.0, DELETED),
    "zero is at once": (job(ttl=0), 0.0, DELETED),
    "failed": (job("Failed"), 61.0, DELETED),
    "terminated": (job("Terminated"), 61.0, DELETED),
    "aborted may be resumed": (job("Aborted"), 1e6, Decision()),
    "running": (job("Running"), 1e6, Decision()),
    "no TTL": (job(ttl=None), 1e6, Decision()),
    "no status": ({"metadata": {"name": "j"}, "spec": {"ttlSecondsAfterFinished": 1}}, 1e6, Decision()),
    "no time of its end": (job(at=None), 1e6, Decision()),
    "being deleted": (job(deletionTimestamp=FINISHED), 1e6, Decision()),
    "finished in the future, by another clock": (job(), -1000.0, Decision(requeue_after=1060.0)),
}


@pytest.mark.parametrize(("body", "after", "want"), CASES.values(), ids=CASES.keys())
def test_ttl(body: dict[str, Any], after: float, want: Decision) -> None:
    assert decide(body, epoch(FINISHED) + after) == want
