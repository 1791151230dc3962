"""The picture of a flow."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from jobflow import Flow, Template


def flow() -> Flow:
    with Flow("pictured") as made:
        Template("a") >> [Template("b"), Template("c")] >> Template("d")
    return made


def test_a_terminal_gets_a_tree_and_a_notebook_a_picture(tmp_path: Path) -> None:
    graph = flow().graph()
    assert str(graph) == repr(graph)
    assert str(graph).splitlines()[0] == "pictured"
    assert {"a", "b", "c", "d"} <= set(str(graph).split())
    picture = ElementTree.fromstring(graph._repr_html_())
    assert picture.tag.endswith("svg")
    assert flow()._repr_html_() == graph.svg
    graph.save(str(tmp_path / "flow.svg"))
    assert (tmp_path / "flow.svg").read_text() == graph.svg


def test_a_cycle_cannot_be_drawn() -> None:
    made = flow()
    made.steps["d"] >> made.steps["a"]
    with pytest.raises(ValueError, match="cannot be drawn"):
        made.graph()
