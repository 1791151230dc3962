"""The top-level packages can be moved below `jobflow` in the wheel: one list names them, no code names them otherwise."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from release.layout import wings
from tests.structure.project import PRODUCT, ROOT, TOOLS, WINGS, modules, product, pyproject, python_files

FROM_NAMES = "module_name"
"""The function that takes the name of a module in the repository."""


@cache
def names_of_modules() -> frozenset[str]:
    return frozenset(module.name for module in modules() if "." in module.name)


@cache
def prefixes_of_packages() -> tuple[str, ...]:
    return tuple(f"{module.name}." for module in modules() if module.is_package)


def said_in_strings(tree: ast.Module) -> Iterator[str]:
    """Strings that are code and name a module of ours: `cli.main`, `python -m cli.main`, and the `cli.` of an f-string."""
    exempt = {id(node) for node in _documentation(tree)} | {id(node) for node in _arguments_of_module_name(tree)}
    begins = {id(node.values[0]) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) and node.values}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in exempt:
            continue
        named = re.sub(r"^(.*\s)?-m ", "", node.value)
        if (
            named in names_of_modules()
            or (named != node.value and named in PRODUCT)
            or (
                id(node) in begins
                and named.endswith(prefixes_of_packages())
                and " " not in named
                and named.count(".") > 1
            )
        ):
            yield node.value


def _documentation(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _arguments_of_module_name(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == FROM_NAMES:
            yield from node.args


def plain_imports(tree: ast.Module) -> list[str]:
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return [name for name in imported if name.partition(".")[0] in PRODUCT]


def test_one_list_names_all_packages_that_are_installed() -> None:
    assert wings(ROOT) == PRODUCT
    with_python = {path.relative_to(ROOT).parts[0] for path in python_files()}
    missing = with_python - {*PRODUCT, *TOOLS}
    assert missing == set(), "add it to `include` of [tool.setuptools.packages.find] in pyproject.toml"
    assert set(pyproject()["tool"]["mypy"]["packages"]) == {*WINGS} - {"tests"}


def test_no_module_of_the_product_imports_a_top_level_package_by_itself() -> None:
    found = {module.name: plain for module in product() if (plain := plain_imports(module.tree))}
    assert found == {}, "write `from WING import ...`, which the build of the wheel can rewrite"


def test_no_string_of_the_product_names_a_module() -> None:
    found = {module.name: said for module in product() if (said := list(said_in_strings(module.tree)))}
    assert found == {}, "use __package__, or local.processes.module_name for a module of another top-level package"


@pytest.mark.parametrize(
    "code",
    [
        'run("local.nodes")',
        'run("python -m local.nodes")',
        'run("python -m controller")',
        'load(f"cli.commands.{name}")',
    ],
)
def test_strings_that_name_modules_are_found(code: str) -> None:
    assert list(said_in_strings(ast.parse(code)))


@pytest.mark.parametrize("code", ['"""About cli.main."""', 'module_name("local.nodes")', 'x = "webhook"', 'f"{a}.b"'])
def test_other_strings_are_left_alone(code: str) -> None:
    assert list(said_in_strings(ast.parse(code))) == []


def test_plain_imports_are_found() -> None:
    assert plain_imports(ast.parse("import shared.model, re\nimport cli as c")) == ["shared.model", "cli"]
