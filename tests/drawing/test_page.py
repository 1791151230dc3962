"""Pictures in pages: classes and links only, a place that does not change while the flow runs."""

import re
from xml.etree import ElementTree

import pytest

from drawing.graph_model import drawing
from drawing.page import Links, graph_element, graph_states, legend_samples
from drawing.parts import Choice, Section, chosen
from drawing.svg.style import SMALL, style
from shared.model.types import Body
from tests.drawing.make import chain, lanes, random_flow, with_phases
from tests.webhook.make import flow, step

LINKS = Links(box=lambda box: f"?step={box.name}", bar=lambda bar: f"?layer={bar.first}", step=lambda name: name)
FEW = flow(
    step("a"),
    step("grade", "a", switch={"value": "params.p", "cases": [{"when": ["A"], "run": ["b"]}], "default": ["c"]}),
    step("b"),
    step("c"),
    step("loop", "b", **{"for": {"range": {"start": 0, "end": 10}}}),
    params=[{"name": "p", "value": "A"}],
    **{"finally": [step("tell")]},
)


@pytest.mark.parametrize(
    "body", [FEW, lanes(400), random_flow(700), chain(30)], ids=["small", "lanes", "layers", "chain"]
)
def test_pages_get_no_styles_and_a_link_for_each_thing(body: Body) -> None:
    picture = chosen(drawing(body, live=True), Choice())
    text = graph_element(picture, LINKS)
    assert "style" not in text
    root = ElementTree.fromstring(text)
    keys = [found.get("data-key") for found in root.iter("{http://www.w3.org/2000/svg}g") if found.get("data-key")]
    assert sorted(filter(None, keys)) == sorted(state.key for state in graph_states(picture))
    assert text.count("<a href") == len(keys)
    for sample, meaning in legend_samples(picture):
        assert meaning
        ElementTree.fromstring(sample)


def places(text: str) -> list[tuple[str, ...]]:
    boxes = re.sub(r'<g class="shares".*?</g>', "", text)
    return re.findall(r'<(?:rect|path)[^>]* (?:x="([^"]*)" y="([^"]*)" width="([^"]*)"|d="([^"]*)")', boxes)


@pytest.mark.parametrize("body", [FEW, lanes(400), random_flow(700)], ids=["small", "lanes", "layers"])
def test_nothing_moves_while_a_flow_runs(body: Body) -> None:
    names = [each["name"] for each in body["spec"]["flows"]]
    later = with_phases(body, **{name.replace("-", "_"): "Terminated" for name in names})
    before, after = (chosen(drawing(each, live=True), Choice()) for each in (body, later))
    assert places(graph_element(before, LINKS)) == places(graph_element(after, LINKS))
    changed = [one for one, other in zip(graph_states(before), graph_states(after), strict=True) if one != other]
    assert len(changed) >= len(graph_states(before)) - 1, "all but finally"


def test_words_of_users_stay_text() -> None:
    body = flow(step('<script>alert("1")</script>'), step("b", '<script>alert("1")</script>'))
    text = graph_element(chosen(drawing(body, live=True), Choice()), LINKS)
    assert "<script" not in text
    ElementTree.fromstring(text)


def test_one_stylesheet_for_files_and_pages_below_a_scope() -> None:
    rules = style(".jobflow")
    assert rules.count("{") == rules.count("}")
    assert all(rule.startswith(".jobflow ") for rule in re.findall(r"(?:^|}|{)(\.[^{}@]*){", rules))


def test_a_layer_opens_as_boxes() -> None:
    picture = chosen(drawing(random_flow(700), live=True), Choice(Section.LAYER, first=5, last=5))
    assert "layer 5" in getattr(picture, "part", "")


def test_the_small_line_fits_into_its_box() -> None:
    found = re.search(r"\.small\{font-size:(\d+)px", style())
    assert found is not None
    assert int(found[1]) * 0.602 <= SMALL, "the width of a character in monospaced fonts"
