"""The Python files of the project, parsed once for the structure tests."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from release.layout import wings

ROOT: Final = Path(__file__).resolve().parents[2]
PRODUCT: Final = wings(ROOT)
TOOLS: Final = ("bench", "release", "tests")
"""Top-level packages that are not installed."""
WINGS: Final = (*PRODUCT, *TOOLS)
DOCUMENTS: Final = ("docs", "helm", "examples")
"""Top-level folders without Python packages of the project."""
EXAMPLES: Final = ROOT / "examples" / "python"


@dataclass(frozen=True)
class Module:
    """`name`: dotted; `path`: relative to the root; `tree`: parsed; `lines`: of the file."""

    name: str
    path: Path
    tree: ast.Module
    lines: int

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@cache
def modules() -> tuple[Module, ...]:
    """Every module of every wing, sorted by path."""
    return tuple(_module(path) for wing in WINGS for path in sorted((ROOT / wing).rglob("*.py")))


def _module(path: Path) -> Module:
    text = path.read_text()
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, relative, ast.parse(text), text.count("\n"))


def product() -> tuple[Module, ...]:
    return tuple(module for module in modules() if module.path.parts[0] in PRODUCT)


@cache
def _names() -> frozenset[str]:
    return frozenset(module.name for module in modules())


def imports(module: Module) -> frozenset[str]:
    """The modules of the project that a module imports anywhere in its code."""
    names = _names()
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & names
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            deeper = {f"{node.module}.{alias.name}" for alias in node.names} & names
            found |= deeper or ({node.module} & names)
    return frozenset(found)


def public_classes(module: Module) -> Iterator[str]:
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def committed_files() -> list[Path]:
    """Every file that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def python_files() -> list[Path]:
    """All but the programs of users among the examples."""
    return [path for path in committed_files() if path.suffix == ".py" and EXAMPLES not in path.parents]
