"""What users see of a large flow while its Jobs are created, and of a small one beside it."""

import time

from shared.kinds import JOBFLOW
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario

STEPS = 200


def reported(flow: Body) -> bool:
    return bool((flow.get("status") or {}).get("counts"))


def test_a_large_flow_and_a_small_one_beside_it_have_a_status_before_all_jobs_exist(scenario: Scenario) -> None:
    """A flow of 1000 steps had no status for 41 s, and a small flow beside it none for 60 s."""
    scenario.templates("t")
    begun = time.monotonic()
    scenario.flow("large", {f"s{number}": {"template": "t"} for number in range(STEPS)})
    scenario.flow("small", {"a": {"template": "t"}}, suspend=True)
    small = scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "small", reported, 20)
    large = scenario.cluster.wait_for(JOBFLOW, scenario.namespace, "large", reported, 20)
    seconds = time.monotonic() - begun
    assert small["status"]["state"]["phase"] == "Suspended"
    assert large["status"]["counts"]["waiting"] > 0, (
        f"all {STEPS} Jobs existed before the first status, after {seconds:.1f} s"
    )
    flow = scenario.succeeds("large", 300)
    assert len(flow["status"]["steps"]) == STEPS
