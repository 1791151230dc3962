"""Which JobFlows take a place in a quota or wait for one."""

from typing import Any

import pytest

from shared.policy.quota.flow_standing import flow_part, flow_standing
from shared.policy.quota.standing import Standing

DELETED = {"name": "f", "deletionTimestamp": "2026-01-02T03:04:05Z"}
TERMINATING = {"state": {"phase": "Terminating"}, "runningJobs": ["f-a"]}
FLOWS: dict[str, tuple[dict[str, Any], Standing]] = {
    "a new flow": ({}, Standing.WAITS),
    "a running flow": ({"status": {"state": {"phase": "Running"}}}, Standing.HOLDS),
    "an ended flow": ({"status": {"state": {"phase": "Failed"}}}, Standing.IDLE),
    "a flow that is being deleted": (
        {"metadata": {"name": "f", "deletionTimestamp": "2026-01-02T03:04:05Z"}},
        Standing.IDLE,
    ),
    "a flow whose deletion waits for its Jobs": (
        {"metadata": {**DELETED, "finalizers": ["foregroundDeletion"]}, "status": TERMINATING},
        Standing.IDLE,
    ),
    "a flow that is deleted without its Jobs": (
        {"metadata": {**DELETED, "finalizers": ["orphan"]}, "status": TERMINATING},
        Standing.IDLE,
    ),
    "a deleted flow with a running Job that a finalizer keeps": (
        {"metadata": {**DELETED, "finalizers": ["example.com/x", "foregroundDeletion"]}, "status": TERMINATING},
        Standing.HOLDS,
    ),
    "one that the controller has not seen deleted yet": (
        {
            "metadata": {**DELETED, "finalizers": ["example.com/x"]},
            "status": {"state": {"phase": "Running"}, "pendingJobs": ["f-a"]},
        },
        Standing.HOLDS,
    ),
    "a deleted flow without running Jobs that a finalizer keeps": (
        {
            "metadata": {**DELETED, "finalizers": ["example.com/x"]},
            "status": {"state": {"phase": "Terminating"}, "completedJobs": ["f-a"]},
        },
        Standing.IDLE,
    ),
    "a deleted flow that never started and that a finalizer keeps": (
        {"metadata": {**DELETED, "finalizers": ["example.com/x"]}},
        Standing.IDLE,
    ),
    "a flow that was created suspended": ({"spec": {"suspend": True}}, Standing.IDLE),
    "a suspended flow without Jobs": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Suspended"}}},
        Standing.IDLE,
    ),
    "a suspended flow with a running Job": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Suspended"}, "runningJobs": ["f-a", "f-b"]}},
        Standing.HOLDS,
    ),
    "a suspended flow with a pending Job": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Suspended"}, "pendingJobs": ["f-a"]}},
        Standing.HOLDS,
    ),
    "a suspended flow with completed Jobs": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Suspended"}, "completedJobs": ["f-a"]}},
        Standing.IDLE,
    ),
    "a flow that the controller has not suspended yet": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Running"}}},
        Standing.HOLDS,
    ),
    "a resumed flow without Jobs": ({"status": {"state": {"phase": "Suspended"}}}, Standing.WAITS),
    "a resumed flow with a running Job": (
        {"status": {"state": {"phase": "Suspended"}, "runningJobs": ["f-a"]}},
        Standing.HOLDS,
    ),
    "a flow that a quota holds": (
        {"status": {"state": {"phase": "Pending", "reason": "QuotaExceeded"}}},
        Standing.WAITS,
    ),
    "a flow with a fault in its spec": (
        {"status": {"state": {"phase": "Pending", "reason": "InvalidSpec"}}},
        Standing.IDLE,
    ),
    "a flow that became invalid while a Job ran": (
        {"status": {"state": {"phase": "Pending", "reason": "InvalidSpec"}, "runningJobs": ["f-a"]}},
        Standing.HOLDS,
    ),
    "malformed parts": ({"spec": "x", "status": {"state": "y", "runningJobs": "z"}}, Standing.WAITS),
}


@pytest.mark.parametrize(("body", "wanted"), FLOWS.values(), ids=FLOWS)
def test_a_flow_has_a_place_while_it_runs_or_has_unfinished_jobs(body: dict[str, Any], wanted: Standing) -> None:
    flow = {"metadata": {"name": "f"}, **body}
    assert flow_standing(flow) is wanted
    assert flow_standing({**flow, "status": flow_part(flow)}) is wanted
