"""Jobs that wait for an object that only a user can create, or for a queue that only a user can open."""

import pytest

from tests.controller.job.make import job
from tests.controller.job.toy import Toy, started, toy


def test_a_missing_claim_is_waited_for_with_a_reason() -> None:
    cluster = toy(volumes=[{"mountPath": "/data", "volumeClaimName": "shared"}]).settle().wait(86_400).settle()
    assert (cluster.phase, cluster.reason, cluster.pods) == ("Pending", "VolumeClaimNotFound", {})
    assert "shared" in cluster.status.state.message
    assert sorted(cluster.claim("shared").settle().shown) == ["w-0", "w-1"]


def test_a_missing_queue_is_waited_for_with_a_reason() -> None:
    cluster = Toy(job(queue="gone"))
    cluster.queue = None
    cluster.settle()
    assert (cluster.phase, cluster.reason, cluster.writes) == ("Pending", "QueueNotFound", ["status"])
    cluster.queue = {"metadata": {"name": "gone"}}
    assert sorted(cluster.settle().shown) == ["w-0", "w-1"]


@pytest.mark.parametrize("state", ["Closing", "Closed"])
def test_a_resumed_job_waits_until_its_queue_is_opened(state: str) -> None:
    cluster = started().order("AbortJob").settle().vanish().settle()
    cluster.queue = {"metadata": {"name": "default"}, "status": {"state": state}}
    cluster.order("ResumeJob").settle()
    assert (cluster.phase, cluster.reason, cluster.group) == ("Pending", "QueueClosed", None)
    assert f"queue default is {state.lower()}; the Job waits" in cluster.status.state.message
    assert cluster.shown == {}
    cluster.queue = {"metadata": {"name": "default"}, "status": {"state": "Open"}}
    assert sorted(cluster.settle().shown) == ["w-0", "w-1"]


def test_a_running_job_restarts_in_a_closing_queue() -> None:
    cluster = started()
    cluster.queue = {"metadata": {"name": "default"}, "status": {"state": "Closing"}}
    cluster.order("RestartJob").settle().vanish().settle()
    assert (cluster.phase, sorted(cluster.shown)) == ("Pending", ["w-0", "w-1"])
