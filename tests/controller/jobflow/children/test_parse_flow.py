"""What a flow that a step runs says to the flow above."""

import pytest

from controller.jobflow.children.parse.flow import parse_flow
from shared.model.types import Body
from tests.controller.jobflow.make import UID

WAITS: dict[str, tuple[Body, tuple[str, str]]] = {
    "somebody suspended it": (
        {"state": {"phase": "Suspended"}},
        ("SubFlowSuspended", "it is suspended; resume it to continue"),
    ),
    "the flow above is suspended": (
        {
            "state": {
                "phase": "Suspended",
                "reason": "ParentSuspended",
                "message": "JobFlow f above this one is suspended",
            }
        },
        ("", ""),
    ),
    "its template is missing": (
        {"state": {"phase": "Pending", "reason": "TemplateNotFound", "message": "step a: no JobTemplate a"}},
        ("SubFlowWaits", "TemplateNotFound: step a: no JobTemplate a"),
    ),
    "it runs": ({"state": {"phase": "Running"}}, ("", "")),
}


@pytest.mark.parametrize(("status", "wanted"), WAITS.values(), ids=WAITS.keys())
def test_why_a_flow_below_makes_no_progress(status: Body, wanted: tuple[str, str]) -> None:
    owner = {"apiVersion": "flow.volcano.sh/v1alpha1", "kind": "JobFlow", "name": "f", "uid": UID, "controller": True}
    metadata = {"name": "f-s", "namespace": "ns", "uid": "u", "ownerReferences": [owner]}
    state = parse_flow({"metadata": metadata, "status": status}).status.state
    assert (state.reason, state.message) == wanted
