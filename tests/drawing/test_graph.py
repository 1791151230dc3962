"""Drawings: boxes do not overlap, no arrow crosses a box, and every output format is well formed."""

import random
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing.graph_model import Meaning, Undrawable, drawing
from drawing.layout.bundles import bundled
from drawing.layout.grids import folded, spread, standing
from drawing.layout.model import Layout
from drawing.layout.placing import layout
from drawing.markup import dot, mermaid
from drawing.svg.document import svg
from drawing.text import ascii_tree
from shared.model.types import Body
from tests.cli.make import lines, status
from tests.webhook.make import flow, step

Arrows = list[tuple[str, str]]


def made(arrows: Arrows, count: int) -> Layout:
    names = [f"s{number}" for number in range(count)]
    return layout(names, arrows, {name: 40.0 + 7 * len(name) for name in names})


def dag(count: int, density: float, seed: int) -> Arrows:
    """A graph with arrows from lower to higher numbers only."""
    source = random.Random(seed)
    reach = 12
    return [
        (f"s{low}", f"s{high}")
        for high in range(count)
        for low in range(max(0, high - reach), high)
        if source.random() < density
    ]


@given(count=st.integers(1, 60), density=st.floats(0, 0.4), seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_boxes_do_not_overlap_and_arrows_do_not_cross_them(count: int, density: float, seed: int) -> None:
    arrows = dag(count, density, seed)
    check(made(arrows, count), arrows)


@pytest.mark.parametrize("count", [5, 200])
def test_the_layout_is_clean_with_five_and_with_two_hundred_steps(count: int) -> None:
    arrows = dag(count, 0.15, 1)
    check(made(arrows, count), arrows)


def check(placed: Layout, arrows: Arrows) -> None:
    boxes = list(placed.boxes.values())
    for place, box in enumerate(boxes):
        assert box.x >= 0
        assert box.y >= 0
        for other in boxes[place + 1 :]:
            apart = (
                box.x + box.width <= other.x
                or other.x + other.width <= box.x
                or box.y + box.height <= other.y
                or other.y + other.height <= box.y
            )
            assert apart, (box, other)
    assert set(placed.routes) == set(arrows)
    for (source, target), points in placed.routes.items():
        assert points[0] == (placed.boxes[source].x + placed.boxes[source].width, placed.boxes[source].middle)
        assert points[-1] == (placed.boxes[target].x, placed.boxes[target].middle)
        # The straight parts of an arrow cross a layer where there is no box. Curves are between layers, where no box
        # is.
        for (x, y), (to_x, _) in list(pairwise(points))[1::2]:
            for box in boxes:
                beside = to_x <= box.x or x >= box.x + box.width
                assert beside or not box.y <= y <= box.y + box.height, (source, target, box)


def test_steps_with_the_same_targets_are_drawn_in_the_order_of_the_spec() -> None:
    middle = [f"m{place:02}" for place in range(20)]
    arrows = [("a", name) for name in middle] + [(name, "z") for name in middle]
    placed = layout(["a", *middle, "z"], arrows, dict.fromkeys(["a", *middle, "z"], 80.0))
    assert sorted(middle, key=lambda name: placed.boxes[name].y) == middle


def test_many_steps_that_wait_for_the_same_steps_share_a_knot() -> None:
    first, second = ([f"{letter}{place}" for place in range(8)] for letter in "ab")
    body = flow(*(step(name) for name in first), *(step(name, *first) for name in second), step("c", "a0", "a1"))
    drawn = drawing(body, live=False)
    found = bundled(drawn.arrows)
    assert (len(drawn.arrows), len(found.arrows), len(found.knots)) == (66, 18, 1)
    (knot,) = found.knots
    assert {(arrow.source, arrow.target) for arrow in found.arrows} == (
        {(name, knot) for name in first} | {(knot, name) for name in second} | {("a0", "c"), ("a1", "c")}
    )
    text = svg(drawn)
    assert (text.count("<circle"), "\0" in text, "each step after the dot" in text) == (2, False, True)
    assert "<circle" not in svg(drawing(PRIMITIVES, live=False))


def test_many_steps_with_the_same_arrows_are_drawn_in_one_frame() -> None:
    middle = [f"m{place:03}" for place in range(60)]
    body = flow(step("a"), *(step(name, "a") for name in middle), step("z", *middle), step("y", "m000"), step("b", "a"))
    drawn = drawing(body, live=False)
    widths = {box.step.name: 80.0 for box in drawn.boxes}
    blocks, arrows = folded(widths, drawn.arrows)
    (block,) = blocks
    assert blocks[block].members == tuple(middle[1:]), "m000 has an arrow of its own"
    assert {(arrow.source, arrow.target) for arrow in arrows} == {
        ("a", block), (block, "z"), ("a", "m000"), ("m000", "z"), ("m000", "y"), ("a", "b"),
    }  # fmt: skip
    names = standing(widths, blocks)
    assert names == ["a", "m000", block, "z", "y", "b"]
    plain = layout(names, [(each.source, each.target) for each in arrows], widths | {block: blocks[block].size[0]})
    placed = spread(plain, blocks)
    frame = placed.boxes[block]
    for name in middle[1:]:
        box = placed.boxes[name]
        assert frame.x < box.x
        assert box.x + box.width < frame.x + frame.width
        assert frame.y < box.y
        assert box.y + box.height < frame.y + frame.height
    assert frame.height < 20 * frame.width / 10, "a grid, no column"
    inner = {name: placed.boxes[name] for name in middle[1:]}
    outer = {name: placed.boxes[name] for name in names}
    for group in (inner, outer):
        check(Layout(group, {}, placed.width, placed.height), [])
    for ends, points in placed.routes.items():
        source, target = (placed.boxes[name] for name in ends)
        assert points[0] == (source.x + source.width, pytest.approx(source.middle))
        assert points[-1] == (target.x, pytest.approx(target.middle))
    text = svg(drawn)
    assert text.count('class="frame"') == 2, "the frame, and what it means"
    assert 'class="frame"' not in svg(drawing(flow(), live=False))


PRIMITIVES = flow(
    step("a"),
    step("grade", "a", switch={"value": "params.p", "cases": [{"when": ["A", "B"], "run": ["b"]}], "default": ["c"]}),
    step("b"),
    step("c"),
    step("loop", "b", **{"for": {"range": {"start": 0, "end": 10, "step": 3}}}),
    step("mend", dependsOn={"targets": ["loop"], "condition": "Failed"}),
    step("log", dependsOn={"targets": ["loop", "c"], "condition": "Ended", "strategy": "any"}),
    step("serve", daemon=True),
    step("ask", dependsOn={"targets": ["serve"], "probe": {"tcpSocketList": [{"taskName": "w", "port": 1}]}}),
    params=[{"name": "p", "value": "A"}],
    **{"finally": [step("tell"), step("clean")]},
)


def test_every_arrow_has_a_meaning() -> None:
    found = {(arrow.source, arrow.target): arrow.meaning for arrow in drawing(PRIMITIVES, live=False).arrows}
    assert found == {
        ("a", "grade"): Meaning.COMPLETED,
        ("grade", "b"): Meaning.SWITCH,
        ("grade", "c"): Meaning.SWITCH,
        ("b", "loop"): Meaning.COMPLETED,
        ("loop", "mend"): Meaning.FAILED,
        ("loop", "log"): Meaning.ENDED,
        ("c", "log"): Meaning.ENDED,
        ("serve", "ask"): Meaning.PROBE,
    }


def test_boxes_show_notes_on_special_steps() -> None:
    notes = {box.step.name: box.note for box in drawing(PRIMITIVES, live=False).boxes}
    assert notes == {
        "a": "",
        "grade": "switch",
        "b": "when A, B",
        "c": "otherwise",
        "loop": "for 4 numbers",
        "mend": "",
        "log": "any one",
        "serve": "daemon",
        "ask": "",
    }


def test_the_parent_in_the_tree_is_the_last_step_waited_for() -> None:
    assert [line.plain for line in ascii_tree(drawing(flow(), live=False))] == [
        "f",
        "a",
        "└─ b",
        "   ├─ c",
        "   └─ d",
        "      └─ e  <- c",
    ]


def test_svg_is_xml_with_every_step_a_legend_and_light_and_dark_colours() -> None:
    hostile = flow(step("a"), step("b", "a"), name='<x & "y">')
    body = {**hostile, "status": status("Running", [{"name": "a", "phase": "Failed", "message": "<&>"}])}
    for each in (body, PRIMITIVES):
        text = svg(drawing(each, live=each is body))
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "prefers-color-scheme:dark" in text
        drawn = {found.text for found in root.iter("{http://www.w3.org/2000/svg}text")}
        assert "after it completed" in drawn
    assert {"✗ a", "○ b", "✗ Failed", "○ Waiting"} <= {
        found.text
        for found in ElementTree.fromstring(svg(drawing(body, live=True))).iter("{http://www.w3.org/2000/svg}text")
    }


def test_everything_drawn_is_inside_the_picture() -> None:
    text = svg(drawing(PRIMITIVES, live=False))
    width, height = (float(found) for found in re.findall(r'viewBox="0 0 (\d+) (\d+)"', text)[0])
    for x, y, wide, high in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', text):
        assert float(x) + float(wide) + 24 <= width
        assert float(y) + float(high) <= height


def test_the_same_flow_gives_the_same_picture() -> None:
    assert svg(drawing(PRIMITIVES, live=False)) == svg(drawing(PRIMITIVES, live=False))


def test_mermaid_and_dot() -> None:
    drawn = drawing(PRIMITIVES, live=False)
    assert lines(mermaid(drawn))[0] == "flowchart LR"
    assert '  n1{"grade<br/><small>switch</small>"}' in lines(mermaid(drawn))
    assert "  n4 -. failed .-> n5" in lines(mermaid(drawn))
    assert '  n4 [label="loop\\nfor 4 numbers", fillcolor="#f6f8fa"];' in lines(dot(drawn))
    assert dot(drawn).count("{") == dot(drawn).count("}")


def test_a_cycle_cannot_be_drawn() -> None:
    body: Body = flow(step("a", "b"), step("b", "a"))
    with pytest.raises(Undrawable, match="a -> b -> a"):
        drawing(body, live=False)
