"""The controller may die at any moment: every Job is still made exactly once."""

import random
import time

from tests.e2e.scenario import Scenario

KILLS = 10


def test_killed_ten_times_in_a_diamond_it_makes_every_job_once(scenario: Scenario) -> None:
    chance = random.Random(7)
    graph = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ("d",), "f": ("e",)}
    scenario.templates(*graph, seconds=20)
    with scenario.recorded() as seen:
        scenario.flow("f", graph)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.0, 0.8))
            scenario.cluster.kill_controller()
            scenario.cluster.restart_controller()
        scenario.succeeds("f", seconds=120)
        assert seen.creations() == {f"f-{step}": 1 for step in graph}


def test_a_job_that_ends_while_nobody_looks_is_seen_afterwards(scenario: Scenario) -> None:
    scenario.templates("a", seconds=20)
    scenario.templates("b")
    scenario.flow("f", {"a": (), "b": ("a",)})
    scenario.reaches("f", "a", "Running")
    scenario.cluster.kill_controller()
    time.sleep(2)
    scenario.cluster.restart_controller()
    scenario.succeeds("f")
