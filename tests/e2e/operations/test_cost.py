"""What a step costs the API server."""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from local.client.blocking import until
from shared.kinds import JOBFLOW
from tests.e2e.support.scenario import ENDED, Scenario, phase

FLOWS = 30
LEAST_PAUSE = 1.5  # seconds between the reports of a flow when writes are slow
SEED = {"a": (), "b": ("a",), "c": ("b",), "d": ("b",), "e": ("c", "d")}
_WRITE = re.compile(r'jobflow_writes_total\{kind="(\w+)",outcome="\w+",verb="(\w+)"\} ([\d.]+)')


def writes(scenario: Scenario) -> Counter[tuple[str, str]]:
    """(kind, verb) -> how many writes the controller has made."""
    page = scenario.cluster.metrics()
    return Counter({(kind, verb): int(float(count)) for kind, verb, count in _WRITE.findall(page)})


def test_a_step_costs_one_job_and_at_most_one_report_of_its_flow(scenario: Scenario) -> None:
    """Of 200 flows at once less than half a report, which the benchmarks measure. A slow machine takes more reports: a
    flow reports every few seconds while it changes.
    """
    scenario.templates(*SEED)
    before = writes(scenario)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: scenario.flow(f"f{index}", SEED), range(FLOWS)))

    def ended() -> bool:
        return all(phase(flow) in ENDED for flow in scenario.kube.list(JOBFLOW, scenario.namespace))

    until(ended, 100, lambda: "some flow has not ended")
    cost = writes(scenario) - before
    pauses = int((time.monotonic() - began) / LEAST_PAUSE)
    assert cost["Job", "create"] == FLOWS * len(SEED)
    assert cost["JobFlow", "status"] <= FLOWS * max(len(SEED), pauses)
