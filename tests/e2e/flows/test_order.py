"""Which step runs after which: proven by the order of the API server's watch events of Jobs."""

from collections.abc import Mapping, Sequence

import pytest

from tests.e2e.support.scenario import Scenario, phases, targets

GRAPHS: dict[str, Mapping[str, Sequence[str]]] = {
    "a chain": {"a": (), "b": ("a",), "c": ("b",), "d": ("c",)},
    "a diamond": {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")},
    "three roots": {"a": (), "b": (), "c": (), "join": ("a", "b", "c")},
    "the seed's": {"a": (), "b": ("a",), "c": ("b",), "d": ("b",), "e": ("c", "d")},
    "listed backwards": {"c": ("b",), "b": ("a",), "a": ()},
}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_a_step_starts_when_all_its_targets_have_completed(
    scenario: Scenario, graph: Mapping[str, Sequence[str]]
) -> None:
    scenario.templates(*graph)
    with scenario.recorded() as seen:
        scenario.flow("f", graph)
        flow = scenario.succeeds("f")
        assert phases(flow) == dict.fromkeys(graph, "Completed")
        for step, before in graph.items():
            for target in before:
                assert seen.reached(f"f-{target}", "Completed") < seen.created(f"f-{step}")
        assert seen.creations() == {f"f-{step}": 1 for step in graph}


def test_fifty_steps_fan_out_and_join(scenario: Scenario) -> None:
    wide = [f"w{index}" for index in range(50)]
    scenario.templates("one")
    graph = {"first": {"template": "one"}, "join": {"template": "one"} | targets(*wide)}
    graph |= {step: {"template": "one"} | targets("first") for step in wide}
    with scenario.recorded() as seen:
        scenario.flow("f", graph)
        flow = scenario.succeeds("f", seconds=90)
        assert flow["status"]["progress"] == "52/52"
        assert all(seen.reached(f"f-{step}", "Completed") < seen.created("f-join") for step in wide)
        assert set(seen.creations().values()) == {1}


def test_with_any_the_first_target_is_enough(scenario: Scenario) -> None:
    scenario.templates("quick", "next")
    scenario.templates("slow", seconds=600)
    scenario.flow("f", {"quick": (), "slow": (), "next": targets("quick", "slow", strategy="any")})
    flow = scenario.reaches("f", "next", "Completed")
    assert phases(flow)["slow"] == "Running"


def test_one_template_serves_several_steps(scenario: Scenario) -> None:
    scenario.templates("shared")
    scenario.flow("f", {"x": {"template": "shared"}, "y": {"template": "shared"} | targets("x")})
    scenario.succeeds("f")
    assert set(scenario.jobs()) == {"f-x", "f-y"}
