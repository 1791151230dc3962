"""The controller may be killed at any moment: every Job is still created exactly once."""

import random
import time
from collections.abc import Iterator

import pytest

from local.cluster import LocalCluster
from tests.e2e.support.scenario import Scenario

KILLS = 10
GRAPH = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ("d",), "f": ("e",)}


@pytest.mark.parametrize("seed", [7, 8])
def test_a_controller_killed_ten_times_creates_every_job_once(scenario: Scenario, seed: int) -> None:
    chance = random.Random(seed)
    scenario.templates(*GRAPH, seconds=40)
    with scenario.recorded() as seen:
        scenario.flow("f", GRAPH)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.0, 0.6))
            scenario.cluster.kill_controller()
            scenario.cluster.restart_controller()
        scenario.succeeds("f", seconds=120)
        assert seen.creations() == {f"f-{step}": 1 for step in GRAPH}


def test_a_job_that_ends_while_no_controller_runs_is_noticed(scenario: Scenario) -> None:
    scenario.templates("a", seconds=20)
    scenario.templates("b")
    scenario.flow("f", {"a": (), "b": ("a",)})
    scenario.reaches("f", "a", "Running")
    scenario.cluster.kill_controller()
    time.sleep(2)
    scenario.cluster.restart_controller()
    scenario.succeeds("f")


@pytest.fixture
def pair(cluster: LocalCluster) -> Iterator[tuple[str, str]]:
    """Two controllers that share a lease, in place of the one that needs none."""
    cluster.processes.stop("controller")
    names = ("first", "second")
    for name in names:
        cluster.start_controller(name, ("--leader-elect", "--lease-name=pair"))
        cluster.await_ready(name)
    yield names
    for name in names:
        cluster.processes.stop(name)
    cluster.restart_controller()


def test_a_second_controller_takes_over_from_one_that_is_killed(scenario: Scenario, pair: tuple[str, str]) -> None:
    scenario.templates(*GRAPH, seconds=20)
    with scenario.recorded() as seen:
        scenario.flow("f", GRAPH)
        scenario.reaches("f", "a", "Running")
        scenario.cluster.kill_controller(name=pair[0])
        scenario.succeeds("f", seconds=90)
        assert seen.creations() == {f"f-{step}": 1 for step in GRAPH}
