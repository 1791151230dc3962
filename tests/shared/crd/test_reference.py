"""The field reference is complete, its links resolve, and it is up to date."""

import re
from pathlib import Path

import pytest

from shared.crd import descriptions, reference


def test_every_field_is_explained() -> None:
    assert [line for line in reference.render().splitlines() if re.search(r"\|  ?(\(.*\) )?\|$", line)] == []


def test_every_link_resolves() -> None:
    page = reference.render()
    places = {line.lstrip("#").strip().lower() for line in page.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= places


def test_no_heading_occurs_twice() -> None:
    headings = re.findall(r"^### (.*)$", reference.render(), re.MULTILINE)
    assert len(headings) == len(set(headings))


def test_an_outdated_page_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "fields.md"
    assert reference.main(["--file", str(page)]) == 0
    assert reference.main(["--file", str(page), "--check"]) == 0
    page.write_text(page.read_text() + "more")
    assert reference.main(["--file", str(page), "--check"]) == 1
    assert "out of date" in capsys.readouterr().err


def test_every_description_belongs_to_an_existing_field() -> None:
    """After a field was renamed, no description may remain for the old name."""
    page = reference.render()
    for type_ in descriptions._OF_TYPE:
        assert f"### {type_}\n" in page or f"## {type_}\n" in page, type_
