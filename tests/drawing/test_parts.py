"""Large flows open with what can be read: groups, layers, the neighbourhood of a step."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawing.graph_model import Drawing, drawing
from drawing.groups import grouped
from drawing.layers import Layers, depths, layers, shares
from drawing.parts import LINES, NEAR, VISIBLE, Choice, NoSuchStep, Section, chosen, legible
from drawing.svg.document import svg
from drawing.text import ascii_tree, layer_bars
from shared.model.phases import StepPhase
from shared.model.types import Body
from tests.drawing.make import chain, complete, lanes, random_flow, with_phases
from tests.webhook.make import flow, step


def part(body: Body, choice: Choice) -> Drawing:
    found = chosen(drawing(body, live=True), choice)
    assert isinstance(found, Drawing)
    return found


def names(drawn: Drawing) -> list[str]:
    return [box.name for box in drawn.boxes]


def test_a_flow_that_can_be_read_is_shown_whole() -> None:
    drawn = drawing(random_flow(VISIBLE), live=False)
    assert chosen(drawn, Choice()) is drawn


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(complete(150), id="each step waits for all earlier ones"),
        pytest.param(random_flow(150, parents=20), id="each step waits for 20 earlier ones"),
        pytest.param(chain(150, shortcuts=100), id="one step after the other, with arrows that pass many"),
    ],
)
def test_a_flow_whose_arrows_make_it_illegible_opens_with_layers(body: Body) -> None:
    """Few steps, but pictures of up to 18 000 pixels."""
    drawn = drawing(body, live=False)
    assert len(drawn.boxes) < VISIBLE
    assert not legible(drawn)
    assert isinstance(chosen(drawn, Choice()), Layers)
    near = chosen(drawn, Choice(Section.AROUND, "s75"))
    assert isinstance(near, Drawing)
    assert legible(near)
    assert "s75" in names(near)
    assert f"{len(near.boxes)} of 150 steps" in near.part


def test_a_neighbourhood_that_is_cut_says_how_many_steps_are_near() -> None:
    near = part(complete(150), Choice(Section.AROUND, "s75"))
    assert 20 <= len(near.boxes) < NEAR
    assert near.part == f"around s75: {len(near.boxes)} of 150 steps, {150 - len(near.boxes)} more are near"


def test_arrows_that_share_a_junction_do_not_make_a_flow_illegible() -> None:
    rows = [[f"s{row}-{place}" for place in range(20)] for row in range(7)]
    steps = [step(name) for name in rows[0]]
    steps += [step(name, *before) for before, row in pairwise(rows) for name in row]
    drawn = drawing(flow(*steps), live=False)
    assert len(drawn.arrows) > LINES
    assert chosen(drawn, Choice()) is drawn


def test_a_large_flow_without_order_opens_with_a_bar_for_each_layer() -> None:
    drawn = drawing(random_flow(2000), live=False)
    found = chosen(drawn, Choice())
    assert isinstance(found, Layers)
    assert sum(len(bar.steps) for bar in found.bars) == 2000
    assert chosen(drawn, Choice(Section.WHOLE)) is drawn


def test_lanes_of_equal_shape_are_one_box_each_step() -> None:
    body = with_phases(lanes(400), split="Completed", prep_3="Failed", prep_4="Running")
    found = part(body, Choice())
    assert names(found) == ["split", "prep-0 … prep-399", "train-0 … train-399", "merge"]
    assert {(arrow.source, arrow.target) for arrow in found.arrows} == {
        ("split", "prep-0 … prep-399"),
        ("prep-0 … prep-399", "train-0 … train-399"),
        ("train-0 … train-399", "merge"),
    }
    assert [box.step.phase for box in found.boxes] == ["Completed", "Failed", "Waiting", "Waiting"]
    group = part(body, Choice(Section.GROUP, "prep-7"))
    assert names(group)[:2] == ["prep-0", "prep-1"]
    assert {"prep-3", "prep-4"} <= set(names(group)), "the urgent first, so never beyond the limit"
    assert len(group.boxes) == VISIBLE
    assert [line.plain for line in ascii_tree(grouped(drawing(lanes(400), live=False)))][1:] == [
        "split",
        "└─ prep-0 … prep-399  400 steps",
        "   └─ train-0 … train-399  400 steps",
        "      └─ merge",
    ]


def test_steps_of_different_shape_are_not_grouped() -> None:
    body = flow(step("a"), *(step(f"b{number}", "a") for number in range(6)), step("c", "b0"), step("d", "b0", "b1"))
    assert names(grouped(drawing(body, live=False))) == ["a", "b0", "b1", "b2 … b5", "c", "d"]
    few = drawing(flow(step("a"), step("b", "a"), step("c", "a"), step("d", "a")), live=False)
    assert grouped(few) is few


def test_the_neighbourhood_is_two_arrows_up_and_two_down() -> None:
    found = part(chain(400), Choice(Section.AROUND, "s100"))
    assert names(found) == ["s98", "s99", "s100", "s101", "s102"]
    assert (found.centre, found.part) == ("s100", "around s100: 5 of 400 steps")
    assert 'class="step waiting centre"' in svg(found)


def test_a_neighbourhood_has_a_limit_and_says_so() -> None:
    body = flow(step("a"), *(step(f"b{number}", "a") for number in range(500)))
    found = part(body, Choice(Section.AROUND, "a"))
    assert (len(found.boxes), found.boxes[0].name) == (NEAR, "a")
    assert found.part == "around a: 150 of 501 steps, 351 more are near"


def test_a_step_that_the_flow_has_not_is_an_error() -> None:
    with pytest.raises(NoSuchStep, match="nope"):
        chosen(drawing(chain(3), live=False), Choice(Section.AROUND, "nope"))


def test_a_step_of_finally_stands_alone() -> None:
    body = flow(step("a"), **{"finally": [step("tell"), step("clean")]})
    found = part(body, Choice(Section.AROUND, "tell"))
    assert ([box.name for box in found.finals], found.boxes) == (["tell"], ())
    assert "finally" in svg(found)


def test_layers_show_how_many_steps_are_in_which_phase() -> None:
    body = with_phases(random_flow(700), s0="Completed", s1="Failed", s2="Running")
    body["spec"]["finally"] = [step("tell")]
    found = layers(drawing(body, live=True))
    assert found.bars[0].steps[0].name == "s0"
    assert shares(found.bars[0].steps) == {StepPhase.COMPLETED: 1}
    assert found.bars[-1].label == "finally"
    text = [line.plain for line in layer_bars(found)]
    assert text[0] == "f  701 steps, a bar for each layer"
    assert text[1].startswith("layer 1       1  █ ")
    assert text[1].endswith("✓ 1  ")
    assert 'class="share completed"' in svg(found)


def test_a_chain_of_many_layers_has_few_bars() -> None:
    found = layers(drawing(chain(700), live=False))
    assert len(found.bars) <= 60
    assert [bar.label for bar in found.bars][:2] == ["layers 1–12", "layers 13–24"]
    assert found.bars[-1].last == 700
    some = part(chain(700), Choice(Section.LAYER, first=13, last=24))
    assert (names(some)[0], len(some.boxes), len(some.arrows)) == ("s12", 12, 11)


@given(count=st.integers(1, 80), parents=st.integers(1, 4), seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_groups_hold_each_step_once_and_layers_rise_along_arrows(count: int, parents: int, seed: int) -> None:
    drawn = drawing(random_flow(count, parents, seed), live=False)
    made = grouped(drawn)
    members = [step.name for box in made.boxes for step in box.members or (box.step,)]
    assert sorted(members) == sorted(names(drawn))
    for each in (drawn, made):
        layer = depths(each)
        assert all(layer[arrow.source] < layer[arrow.target] for arrow in each.arrows)


def test_two_thousand_steps_are_drawn_whole_in_seconds_on_a_busy_machine() -> None:
    drawn = drawing(random_flow(2000), live=True)
    started = time.process_time()
    text = svg(drawn)
    assert text.count('<g class="step waiting"') == 2001, "the boxes, and one in the legend"
    assert time.process_time() - started < 3
