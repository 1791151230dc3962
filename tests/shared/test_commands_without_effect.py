"""The note that a Command seems to have no effect."""

from typing import Any

import pytest

from shared.actions.commands import why_no_effect
from shared.model.phases import FlowAction, JobAction, QueueAction
from shared.model.types import Body


def flow(phase: str, *steps: str, **spec: Any) -> Body:
    status = {"observedGeneration": 1, "state": {"phase": phase}, "steps": [{"phase": each} for each in steps]}
    return {"metadata": {"name": "f"}, "spec": spec, "status": status}


def state(phase: str) -> Body:
    return {"metadata": {"name": "x"}, "status": {"state": {"phase": phase}}}


VOLCANOS: Body = {"metadata": {"name": "f"}, "spec": {}, "status": {"state": {"phase": "Failed"}}}
CASES: dict[str, tuple[str, Body, str]] = {
    "suspend what runs": (FlowAction.SUSPEND, flow("Running"), ""),
    "suspend what is suspended": (FlowAction.SUSPEND, flow("Suspended", suspend=True), "it is already suspended"),
    "suspend what has ended": (FlowAction.SUSPEND, flow("Succeed"), "it has ended: Succeed"),
    "resume what is suspended": (FlowAction.RESUME, flow("Suspended", suspend=True), ""),
    "resume what runs": (FlowAction.RESUME, flow("Running"), "it is not suspended"),
    "stop what runs": (FlowAction.TERMINATE, flow("Running"), ""),
    "stop what has ended": (FlowAction.TERMINATE, flow("Failed"), "it has ended: Failed"),
    "retry a failed step": (FlowAction.RETRY, flow("Failed", "Completed", "Failed"), ""),
    "retry a terminated step": (FlowAction.RETRY, flow("Running", "Terminated"), ""),
    "retry what succeeded": (FlowAction.RETRY, flow("Succeed", "Completed"), "none of its steps has failed"),
    "restart what has ended": (FlowAction.RESTART, flow("Succeed", "Completed"), ""),
    "restart what Volcano finished": (
        FlowAction.RESTART,
        VOLCANOS,
        "it has ended under Volcano's controller and cannot run again; use jobflow run f",
    ),
    "a flow without status": (FlowAction.RETRY, {"metadata": {"name": "f"}}, "none of its steps has failed"),
    "suspend a Job": (JobAction.ABORT_JOB, state("Running"), ""),
    "suspend an Aborted Job": (JobAction.ABORT_JOB, state("Aborted"), "it is already suspended"),
    "suspend a Job that has ended": (JobAction.ABORT_JOB, state("Completed"), "it has ended: Completed"),
    "resume an Aborting Job": (JobAction.RESUME_JOB, state("Aborting"), ""),
    "resume a Job that runs": (JobAction.RESUME_JOB, state("Running"), "it is not suspended"),
    "open an open Queue": (QueueAction.OPEN_QUEUE, {"status": {"state": "Open"}}, "it is already open"),
    "open a Closing Queue": (QueueAction.OPEN_QUEUE, {"status": {"state": "Closing"}}, ""),
    "close a Closed Queue": (QueueAction.CLOSE_QUEUE, {"status": {"state": "Closed"}}, "it is already closed"),
    "close an open Queue": (QueueAction.CLOSE_QUEUE, {}, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_a_command_without_effect_is_noted(case: str) -> None:
    action, target, wanted = CASES[case]
    assert why_no_effect(target, action) == wanted
