"""The notebook among the examples, executed on the local cluster."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
from nbclient import NotebookClient

from local.cluster import LocalCluster

NOTEBOOK = Path("examples/python/flow.ipynb")


@pytest.fixture(scope="module")
def cells(cluster: LocalCluster) -> list[Any]:
    """The cells with their outputs."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KUBECONFIG", str(cluster.kubeconfig))
        NotebookClient(notebook, timeout=180, resources={"metadata": {"path": "."}}).execute()
    return [each for each in notebook.cells if each.cell_type == "code"]


def html(cell: Any) -> str:
    return "".join(output["data"].get("text/html", "") for output in cell.outputs if "data" in output)


def printed(cell: Any) -> str:
    return "".join(output["text"] for output in cell.outputs if output.output_type == "stream")


def test_the_flow_is_a_picture(cells: list[Any]) -> None:
    assert ElementTree.fromstring(html(cells[0])).tag.endswith("svg")


def test_it_has_no_faults(cells: list[Any]) -> None:
    assert "no faults" in html(cells[1])


def test_the_simulation_is_a_table_of_bars(cells: list[Any]) -> None:
    assert re.findall(r">(train\[0\][:2]*)<", html(cells[2])) == ["train[0]", "train[0]:2"]
    assert "Failed" in html(cells[2])


def test_the_run_succeeds_and_is_followed(cells: list[Any]) -> None:
    assert "Succeed 5/5" in html(cells[3])


def test_what_came_of_it_is_read(cells: list[Any]) -> None:
    said = printed(cells[4])
    assert "'prepare': {'rows': '1200'}, 'train': {'accuracy': '0.85'}" in said
    assert "'again': 'Skipped'" in said
    assert said.endswith("shipped\n\n")


def test_the_notebook_is_stored_without_outputs() -> None:
    stored = nbformat.read(NOTEBOOK, as_version=4)
    assert [each for each in stored.cells if each.cell_type == "code" and (each.outputs or each.execution_count)] == []
