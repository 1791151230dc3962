"""The creator of a flow is recorded if the flow needs an approval."""

from typing import Any

import msgspec
import pytest

from shared import kinds
from shared.model.types import Body
from shared.names import CREATOR
from tests.webhook.make import body, known, review, step
from webhook.envelope.patch import applied
from webhook.envelope.review import RequestUser
from webhook.verdict.admit import mutate

ASKS = {"name": "release", "approve": {}}
RUNS = {"name": "part", "flow": {"template": "other"}}
OWNER = {"apiVersion": kinds.JOBFLOW.api_version, "kind": "JobFlow", "name": "outer", "uid": "u0", "controller": True}


def creator(new: Body, user: str = "jane") -> str | None:
    """What the webhook leaves as the creator of a flow that `user` creates."""
    asked = msgspec.structs.replace(review(new), user_info=RequestUser(username=user))
    made = applied(new, mutate(asked, known()).patch)
    found: str | None = made["metadata"].get("annotations", {}).get(CREATOR)
    return found


FLOWS: dict[str, tuple[dict[str, Any], str | None]] = {
    "no step asks": ({"flows": [step("a")]}, None),
    "a step asks": ({"flows": [step("a"), ASKS]}, "jane"),
    "a flow that a step runs may ask": ({"flows": [RUNS]}, "jane"),
    "a flow that `finally` runs may ask": ({"flows": [step("a")], "finally": [RUNS]}, "jane"),
}


@pytest.mark.parametrize("case", FLOWS)
def test_the_creator_is_recorded(case: str) -> None:
    spec, want = FLOWS[case]
    assert creator(body(kinds.JOBFLOW, "f", spec)) == want


@pytest.mark.parametrize("given", [None, "jane"])
def test_the_controller_is_not_the_creator_of_a_flow_that_a_step_runs(given: str | None) -> None:
    """Else everybody could approve it, the creator of the flow above included."""
    inner = body(kinds.JOBFLOW, "outer-part", {"flows": [ASKS]})
    inner["metadata"] |= {"ownerReferences": [OWNER], "annotations": {CREATOR: given} if given else {}}
    assert creator(inner, "system:serviceaccount:jobflow-system:jobflow-controller") == given
