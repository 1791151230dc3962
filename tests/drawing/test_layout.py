"""The own layout: every node once, no overlap, arrows lead to the right, the same graph gives the same picture."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing.layout import barycentre, sugiyama
from drawing.layout.layering import longest_paths
from drawing.layout.model import HEIGHT, PITCH, Edge, Ranks
from drawing.layout.placing import layout


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[Edge]]:
    count = draw(st.integers(1, 40))
    pairs = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=90))
    return count, sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})


def crossings(ranks: Ranks) -> int:
    between: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for chain in ranks.chains:
        for source, target in pairwise(chain):
            ends = (ranks.layers[source], ranks.layers[target])
            between.setdefault(ends, []).append((ranks.across[source], ranks.across[target]))
    return sum(
        (first[0] - second[0]) * (first[1] - second[1]) < 0
        for links in between.values()
        for place, first in enumerate(links)
        for second in links[place + 1 :]
    )


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_every_node_has_a_place_of_its_own_and_arrows_lead_to_later_layers(graph: tuple[int, list[Edge]]) -> None:
    count, edges = graph
    ranks = barycentre.ranked(count, edges)
    assert set(range(count)) <= set(ranks.layers)
    assert set(ranks.layers) == set(ranks.across)
    assert [(chain[0], chain[-1]) for chain in ranks.chains] == edges
    for chain in ranks.chains:
        assert all(ranks.layers[source] < ranks.layers[target] for source, target in pairwise(chain))
    rows: dict[int, list[float]] = {}
    for node in range(count):
        rows.setdefault(ranks.layers[node], []).append(ranks.across[node])
    assert min(ranks.across.values()) >= 0
    for row in rows.values():
        assert all(after - before >= PITCH - 1e-6 for before, after in pairwise(sorted(row)))
    assert barycentre.ranked(count, edges) == ranks


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_bends_keep_off_the_boxes_of_their_layer(graph: tuple[int, list[Edge]]) -> None:
    count, edges = graph
    ranks = barycentre.ranked(count, edges)
    for bend in (node for node in ranks.layers if node >= count):
        for box in range(count):
            if ranks.layers[box] == ranks.layers[bend]:
                assert abs(ranks.across[box] - ranks.across[bend]) > HEIGHT / 2


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_layers_are_the_longest_paths(graph: tuple[int, list[Edge]]) -> None:
    count, edges = graph
    layers = longest_paths(count, edges)
    for node in range(count):
        before = [layers[source] for source, target in edges if target == node]
        assert layers[node] == max(before, default=-1) + 1


def test_trees_and_lanes_have_no_crossing() -> None:
    tree = [((node - 1) // 2, node) for node in range(1, 63)]
    lanes = [(node - 10, node) for node in range(10, 200)]
    assert [crossings(barycentre.ranked(count, edges)) for count, edges in ((63, tree), (200, lanes))] == [0, 0]


@pytest.mark.parametrize("count", [200, 2000])
def test_a_chain_is_no_endless_row(count: int) -> None:
    names = [f"s{number}" for number in range(count)]
    placed = layout(names, list(pairwise(names)), dict.fromkeys(names, 120.0))
    assert placed.width < 3 * placed.height * 1.5
    boxes = list(placed.boxes.values())
    for before, after in pairwise(boxes):
        assert after.x > before.x + before.width or after.y >= before.y + before.height
    for (source, _), points in placed.routes.items():
        box = placed.boxes[source]
        if len(points) == 4:  # it turns back, between the rows
            level = points[1][1]
            assert box.y + box.height < level
            assert not any(other.y <= level <= other.y + other.height for other in boxes)


def test_five_thousand_nodes_take_less_than_a_second_of_an_idle_machine() -> None:
    edges = [(max(node - 1 - node * 7919 % 40, 0), node) for node in range(1, 5000)]
    edges += [(node * 31 % node, node) for node in range(1, 5000) if (node * 31 % node, node) not in set(edges[:node])]
    started = time.process_time()
    ranks = barycentre.ranked(5000, sorted(set(edges)))
    assert time.process_time() - started < 3
    assert len(ranks.layers) >= 5000


def test_pictures_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sugiyama, "_INSTALLED", False)
    placed = layout(["a", "b", "c"], [("a", "b"), ("b", "c")], {"a": 50.0, "b": 60.0, "c": 70.0})
    assert [placed.boxes[name].x for name in "abc"] == [0, 106, 222]
