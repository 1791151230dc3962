"""What comments and pages cite is in the repository: documents, their sections and rows, and the targets of links."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

CITATION: Final = re.compile(
    r"docs/design/(?P<page>[a-z-]+\.md)(?:,?\s+(?:#\s*)?(?P<kind>sections?|rows?)\s+"
    r"(?P<places>[0-9]+(?:\.[0-9]+)?(?:(?:\s*,\s*|\s+and\s+|\s+to\s+)[0-9]+(?:\.[0-9]+)?)*))?"
)
UNLOCATED: Final = re.compile(
    r"(?<![/\w-])(?:volcano-behaviour|jobflow-api|volcano-measured|anchors|cases|style)\.md|\bdecisions? rows? [0-9]"
)
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def files(*suffixes: str) -> list[Path]:
    names = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split("\n")
    found = [Path(name) for name in names if name.endswith(suffixes)]
    return [path for path in found if path.is_file() and path != Path(__file__).relative_to(Path.cwd())]


@cache
def places(page: str) -> frozenset[str]:
    """Numbers of the headings and of the table rows of a design document."""
    text = (Path("docs/design") / page).read_text()
    found = re.findall(r"^#+ ([0-9]+(?:\.[0-9]+)?)[. ]|^\| ([0-9]+) \|", text, re.MULTILINE)
    return frozenset(heading or row for heading, row in found)


def test_every_cited_document_section_and_row_exists() -> None:
    missing = []
    for path in files(".py", ".yaml", ".toml", ".md", ".tpl"):
        for cited in CITATION.finditer(path.read_text()):
            page = cited["page"]
            if not (Path("docs/design") / page).exists():
                missing.append(f"{path}: docs/design/{page}")
                continue
            numbers = re.findall(r"[0-9]+(?:\.[0-9]+)?", cited["places"] or "")
            missing += [f"{path}: {page} {cited['kind']} {each}" for each in numbers if each not in places(page)]
    assert missing == []


def test_no_comment_cites_a_document_without_saying_where_it_is() -> None:
    found = [
        f"{path}: {cited[0]}"
        for path in files(".py", ".yaml", ".tpl")
        for cited in UNLOCATED.finditer(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("page", files(".md"), ids=str)
def test_links_between_pages_resolve(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", page.read_text())
    targets = [link["target"] for link in LINK.finditer(text)]
    inside = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in inside if not (page.parent / target).exists()] == []
