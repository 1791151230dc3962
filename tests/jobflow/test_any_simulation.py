"""Random flows of every kind of step are simulated to an end, or it is said why there is none."""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jobflow.simulation.simulate import simulate
from shared import kinds
from shared.model.phases import StepPhase
from shared.model.types import Body
from tests.controller.jobflow.test_any_flow import CALM, FLOWS
from tests.jobflow.test_round_trip import of_other_kinds, raw, valid


@settings(CALM, max_examples=200)
@given(FLOWS, st.data())
def test_a_random_flow_ends_or_it_is_said_why_not(flow: Any, data: st.DataObject) -> None:
    spec = data.draw(of_other_kinds(raw(flow.spec)))
    body: Body = {
        "apiVersion": kinds.JOBFLOW.api_version,
        "kind": "JobFlow",
        "metadata": {"name": "f"},
        "spec": {**spec, "params": [{"name": "image", "value": "busybox"}]},
    }
    assume(valid(body))
    names = [step["name"] for step in spec["flows"] if "switch" not in step and "approve" not in step]
    fail = data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if names else []
    found = simulate(body, {}, fail=fail)
    assert found.unfinished or found.phase in ("Succeed", "Failed")
    assert found.unfinished or all(StepPhase(phase).ended for phase in found.phases().values())
    assert found.timeline().splitlines()[-1].startswith(f"f: {found.phase}")
