"""The folder that the wheel is built from: everything below `jobflow`, and a pyproject.toml that says so."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from release.imports import PUBLIC, ImportStyleError, installed_name, rewrite

_KEPT: Final = ("README.md", "LICENSE")
_MODE: Final = 0o644


def wings(root: Path) -> tuple[str, ...]:
    """The top-level packages that are installed: the list that pyproject.toml gives to setuptools."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    return tuple(each.removesuffix("*") for each in settings["tool"]["setuptools"]["packages"]["find"]["include"])


def files(folder: Path) -> Iterator[Path]:
    """All files below a folder that ship, sorted: none that is hidden, compiled or an editor's copy."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder).parts
        if path.is_file() and not any(
            part.startswith(".") or part == "__pycache__" or part.endswith(("~", ".pyc")) for part in inner
        ):
            yield path


def lay_out(root: Path, stage: Path) -> None:
    """Fill the folder `stage` with what setuptools needs to build the wheel.

    Raises ImportStyleError, which names the file, for an import that cannot be rewritten.
    """
    names = wings(root)
    for wing in names:
        for path in files(root / wing):
            _place(path, stage.joinpath(*installed_name(wing).split("."), path.relative_to(root / wing)), names)
    public = stage / PUBLIC
    for name in ("__init__.py", "py.typed"):
        if not (public / name).exists():
            _write(public / name, b"")
    for name in _KEPT:
        if (root / name).is_file():
            _write(stage / name, (root / name).read_bytes())
    project = (root / "pyproject.toml").read_text()
    _write(stage / "pyproject.toml", staged_settings(project, names, _data(public)).encode())


def staged_settings(text: str, names: tuple[str, ...], data: dict[str, list[str]]) -> str:
    """The pyproject.toml of the wheel: that of the repository up to the settings of tools, with its entry points moved."""
    project = text[: text.index("\n[tool.")]
    build = project.index("[project]")
    moved = re.sub(rf'(?m)^([\w-]+ = ")(?=({"|".join(names)})[.:])', lambda found: _moved(found), project[build:])
    patterns = "".join(f"{json.dumps(package)} = {json.dumps(found)}\n" for package, found in sorted(data.items()))
    return (
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'{moved}\n[tool.setuptools.packages.find]\ninclude = ["{PUBLIC}*"]\n\n'
        f"[tool.setuptools.package-data]\n{patterns}"
    )


def _moved(found: re.Match[str]) -> str:
    return found[1] if found[2] == PUBLIC else f"{found[1]}{PUBLIC}._"


def _place(source: Path, target: Path, names: tuple[str, ...]) -> None:
    body = source.read_bytes()
    if source.suffix == ".py":
        try:
            body = rewrite(body, names)
        except ImportStyleError as error:
            raise ImportStyleError(f"{source}: {error}") from None
    _write(target, body)


def _write(target: Path, body: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(body)
    target.chmod(_MODE)


def _data(public: Path) -> dict[str, list[str]]:
    """Package -> its files that are no modules, relative to the nearest folder above them that is a package."""
    found: dict[str, list[str]] = {}
    for path in files(public):
        if path.suffix != ".py":
            package = next(folder for folder in path.parents if (folder / "__init__.py").is_file())
            name = ".".join((PUBLIC, *package.relative_to(public).parts))
            found.setdefault(name, []).append(path.relative_to(package).as_posix())
    return found
