"""A new JobFlow from one that has run."""

from shared.actions.reruns import again
from shared.model.types import Body
from shared.names import COMMANDED_BY, CREATED_BY_FLOW, CREATOR, FLOW_TEMPLATE, STEP


def test_a_rerun_keeps_what_a_user_wrote_and_nothing_that_says_who_made_the_old_flow() -> None:
    """The API server refuses a flow that names another creator than who sends it."""
    old: Body = {
        "metadata": {
            "name": "f",
            "uid": "u1",
            "labels": {"team": "a", STEP: "part", CREATED_BY_FLOW: "ns.outer"},
            "annotations": {"note": "x", FLOW_TEMPLATE: "t", CREATOR: "jane", COMMANDED_BY: "u2"},
        },
        "spec": {"flows": [{"name": "a"}], "suspend": True},
    }
    made = again(old)
    assert made["metadata"] == {
        "generateName": "f-",
        "labels": {"team": "a"},
        "annotations": {"note": "x", FLOW_TEMPLATE: "t"},
    }
    assert made["spec"] == {"flows": [{"name": "a"}]}
