"""Which JobFlows count for limits.maxRunningFlows."""

from typing import Any

import pytest

from shared.policy.running import is_running, running_part

FLOWS: dict[str, tuple[dict[str, Any], bool]] = {
    "a new flow": ({}, True),
    "a running flow": ({"status": {"state": {"phase": "Running"}}}, True),
    "an ended flow": ({"status": {"state": {"phase": "Failed"}}}, False),
    "a flow that is being deleted": ({"metadata": {"name": "f", "deletionTimestamp": "2026-01-02T03:04:05Z"}}, False),
    "a flow that was created suspended": ({"spec": {"suspend": True}}, False),
    "a suspended flow without Jobs": ({"spec": {"suspend": True}, "status": {"state": {"phase": "Suspended"}}}, False),
    "a suspended flow with a running Job": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Suspended"}, "runningJobs": ["f-a", "f-b"]}},
        True,
    ),
    "a suspended flow with a pending Job": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Suspended"}, "pendingJobs": ["f-a"]}},
        True,
    ),
    "a suspended flow with completed Jobs": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Suspended"}, "completedJobs": ["f-a"]}},
        False,
    ),
    "a flow that the controller has not suspended yet": (
        {"spec": {"suspend": True}, "status": {"state": {"phase": "Running"}}},
        True,
    ),
    "a flow that runs as a step of another": (
        {"metadata": {"name": "f", "ownerReferences": [{"kind": "JobFlow", "controller": True}]}},
        False,
    ),
    "a flow that a schedule created": (
        {"metadata": {"name": "f", "ownerReferences": [{"kind": "CronJobFlow", "controller": True}]}},
        True,
    ),
    "malformed parts": ({"spec": "x", "status": {"state": "y", "runningJobs": "z"}}, True),
}


@pytest.mark.parametrize(("body", "wanted"), FLOWS.values(), ids=FLOWS)
def test_a_flow_counts_while_it_runs_or_has_unfinished_jobs(body: dict[str, Any], wanted: bool) -> None:
    flow = {"metadata": {"name": "f"}, **body}
    assert is_running(flow) is wanted
    assert is_running({**flow, "status": running_part(flow)}) is wanted
