"""Folders, files and functions stay small enough to read."""

import ast
from collections import Counter
from statistics import median, quantiles
from typing import Final

from tests.structure.project import imports, modules, product

FILES_PER_FOLDER: Final = 15
IMPORTS_PER_FILE: Final = 15
FUNCTION_LINES: Final = 60
WIRING: Final = ("main.py", "__main__.py", "__init__.py")
"""Files that name many modules because they put them together or register them."""


def test_no_folder_has_more_than_15_modules() -> None:
    counts = Counter(module.path.parent for module in modules() if not module.is_package)
    assert {str(folder): count for folder, count in counts.items() if count > FILES_PER_FOLDER} == {}


def test_no_module_imports_more_than_15_modules_of_the_project() -> None:
    counts = {module.name: len(imports(module)) for module in modules() if module.path.name not in WIRING}
    assert {name: count for name, count in counts.items() if count > IMPORTS_PER_FILE} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{module.name}.{node.name}": _length(node)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _length(node) > FUNCTION_LINES
    }
    assert long == {}


def test_most_files_and_functions_of_the_product_are_small() -> None:
    lines = [module.lines for module in product() if not module.is_package]
    functions = [
        _length(node)
        for module in product()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert median(lines) <= 150
    assert quantiles(lines, n=10)[-1] <= 350
    assert median(functions) <= 10


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
