import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.graphs import directed
from shared.graphs.directed import Ancestors

CYCLES = {
    "none in a chain": ({"a": [], "b": ["a"], "c": ["b"]}, None),
    "a step that waits for itself": ({"a": ["a"]}, ("a", "a")),
    "three steps, in the order of running": ({"a": ["c"], "b": ["a"], "c": ["b"]}, ("a", "b", "c", "a")),
    "two steps": ({"a": ["b"], "b": ["a"]}, ("a", "b", "a")),
    "behind a healthy start and before a tail": (
        {"s": [], "x": ["s", "z"], "y": ["x"], "z": ["y"], "tail": ["z"]},
        ("x", "y", "z", "x"),
    ),
    "a target that is no step is no cycle": ({"a": ["ghost"]}, None),
}


@pytest.mark.parametrize(("edges", "want"), CYCLES.values(), ids=CYCLES.keys())
def test_cycle(edges, want):
    assert directed.cycle(edges) == want


def test_dangling_targets_are_reported_with_their_position():
    assert list(directed.dangling({"a": [], "b": ["a", "x"]})) == [("b", 1, "x")]


def test_duplicates_are_named_once_each():
    assert directed.duplicates(["a", "b", "a", "a", "b", "c"]) == ("a", "b")


def test_order_keeps_the_given_order_among_equals():
    assert directed.order({"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}) == ("a", "b", "c", "d")


def test_depth_counts_nodes_on_the_longest_path():
    assert directed.depth({"a": [], "b": ["a"], "c": ["b", "a"], "d": []}) == 3
    assert directed.depth({}) == 0


def test_a_long_chain_raises_no_recursion_error():
    edges = {str(n): [str(n - 1)] if n else [] for n in range(20_000)}
    assert directed.depth(edges) == 20_000
    edges["0"] = ["19999"]
    path = directed.cycle(edges)
    assert path is not None
    assert len(path) == 20_001


def test_ancestors_are_transitive_and_leave_out_the_node_itself():
    before = Ancestors({"a": [], "b": ["a"], "c": ["b"], "d": []})
    assert before.of("c") == ("a", "b")
    assert before.before("c", "a")
    assert not before.before("a", "c")
    assert not before.before("c", "d")
    assert not before.before("c", "ghost")
    assert not before.before("ghost", "a")


GRAPHS = st.dictionaries(
    st.sampled_from("abcdefg"), st.lists(st.sampled_from("abcdefgh"), max_size=4), min_size=1, max_size=7
)


@given(GRAPHS)
def test_order_is_complete_exactly_when_there_is_no_cycle_and_respects_the_edges(edges):
    order = directed.order(edges)
    cycle = directed.cycle(edges)
    assert (len(order) == len(edges)) is (cycle is None)
    for node in order:
        assert all(order.index(target) < order.index(node) for target in edges[node] if target in edges)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert all(before in edges[after] for before, after in itertools.pairwise(cycle))
        assert len(set(cycle)) == len(cycle) - 1


def test_cycles_are_found_apart() -> None:
    edges = {"a": ["b"], "b": ["a"], "c": ["c"], "d": ["a", "c"], "e": ["f"], "f": ["g"], "g": ["e"]}
    assert [set(path) for path in directed.cycles(edges)] == [{"a", "b"}, {"c"}, {"e", "f", "g"}]
    assert list(directed.cycles({"a": [], "b": ["a"]})) == []
