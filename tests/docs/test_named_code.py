"""Paths and symbols of the code that the pages under docs/ name exist."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.structure.project import ROOT, WINGS, committed_files, modules

TOP: Final = (*WINGS, "docs", "helm", "examples")
PAGES: Final = sorted(
    page.relative_to(ROOT)
    for page in committed_files()
    if page.suffix == ".md" and page.parent in (ROOT, ROOT / "docs", ROOT / "docs/design", ROOT / "examples")
)
WITHOUT_MODULES: Final = frozenset({"reference-fields.md", "CHANGELOG.md"})
"""The reference names fields of the API only, and the changelog names what was removed."""
CODE: Final = re.compile(r"`([^`\n]+)`")
PATH: Final = re.compile(rf"(?:{'|'.join(TOP)})(?:/[\w.*-]+)*/?")
DOTTED: Final = re.compile(rf"(?:{'|'.join(WINGS)})(?:\.\w+)+")
SYMBOL: Final = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+|[A-Z][A-Z_]+[A-Z]")
OF_THE_API: Final = frozenset({"AlreadyExists"})
CODE_PAGES: Final = ("architecture.md", "glossary.md")
"""Pages whose UPPER_CASE and CamelCase words in code are symbols of the code; on other pages they are of the API."""


@cache
def symbols() -> frozenset[str]:
    """Every class, function and assigned name of the project."""
    found = set()
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return frozenset(found)


@cache
def dotted_names() -> frozenset[str]:
    names = {module.name for module in modules()}
    for module in modules():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(f"{module.name}.{node.name}")
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(f"{module.name}.{node.target.id}")
    return frozenset(names)


def words(page: Path) -> list[str]:
    return CODE.findall((ROOT / page).read_text())


def missing_paths(page: Path) -> list[str]:
    paths = [word for word in words(page) if "/" in word and PATH.fullmatch(word)]
    return [path for path in paths if not (any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists())]


def missing_modules(page: Path) -> list[str]:
    named = [word.removeprefix("python -m ").partition(" ")[0] for word in words(page)]
    names = [name for name in named if DOTTED.fullmatch(name) and not (ROOT / name).exists()]
    # `webhook.replicas` and the like are values of the chart.
    return [name for name in names if name not in dotted_names() and not _is_chart_value(name)]


@cache
def _chart_values() -> str:
    return (ROOT / "helm/jobflow/values.yaml").read_text()


def _is_chart_value(name: str) -> bool:
    return bool(re.search(rf"\b{name.rpartition('.')[2]}:", _chart_values()))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    assert missing_paths(page) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in WITHOUT_MODULES], ids=str)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    assert missing_modules(page) == []


@pytest.mark.parametrize("page", CODE_PAGES)
def test_every_symbol_that_a_page_on_the_code_names_exists(page: str) -> None:
    names = [word for word in words(Path("docs") / page) if SYMBOL.fullmatch(word)]
    assert [name for name in names if name not in symbols() | OF_THE_API] == []
    assert names != [], "a page on the code names no symbol: has the pattern become wrong?"


def test_a_path_or_module_that_does_not_exist_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.test_named_code.words", lambda _: ["controller/loop/", "controller.job.moves"])
    assert missing_paths(Path("docs")) == ["controller/loop/"]
    assert missing_modules(Path("docs")) == ["controller.job.moves"]
