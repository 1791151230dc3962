"""The build backend that pyproject.toml names (PEP 517): setuptools, with another layout for the wheel.

An editable install is what setuptools makes of the repository: all top-level packages side by side. The wheel is built
from a copy in which they are below `jobflow`, as `shared`, `cli` and the like would clash with other people's modules.
Imports nothing but setuptools and the standard library, as a build has nothing else.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
)

from release import archive
from release.layout import files, lay_out, wings

__all__ = (
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
)

Settings = dict[str, Any] | None
_ALSO: Final = ("release", "helm", "docs", "examples")
"""Folders of the source distribution besides those of the wheel: the build itself, the chart and what people read."""


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Write the wheel; its file name. The metadata is made again, as it takes no time."""
    target = str(Path(wheel_directory).absolute())
    with _staged():
        return build_meta.build_wheel(target, config_settings)


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """Write the wheel's dist-info; the name of its folder."""
    target = str(Path(metadata_directory).absolute())
    with _staged():
        return build_meta.prepare_metadata_for_build_wheel(target, config_settings)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Write the source distribution, from which the wheel can be built again; its file name."""
    root = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        metadata = (Path(folder) / prepare_metadata_for_build_wheel(folder, config_settings) / "METADATA").read_bytes()
    version = next(line[9:] for line in metadata.decode().splitlines() if line.startswith("Version: "))
    top = f"jobflow-{version}"
    sources = [path for name in (*wings(root), *_ALSO) for path in files(root / name)]
    sources += [path for path in root.iterdir() if path.is_file() and not path.name.startswith(".")]
    members = {f"{top}/{path.relative_to(root).as_posix()}": path.read_bytes() for path in sources}
    (Path(sdist_directory) / f"{top}.tar.gz").write_bytes(archive.tar_gz({**members, f"{top}/PKG-INFO": metadata}))
    return f"{top}.tar.gz"


@contextlib.contextmanager
def _staged() -> Iterator[None]:
    """Work in the folder that the wheel is built from, with a time that a wheel can hold."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path.cwd(), Path(folder))
        os.environ["SOURCE_DATE_EPOCH"] = str(archive.epoch())
        try:
            with contextlib.chdir(folder):
                yield
        finally:
            if given is None:
                del os.environ["SOURCE_DATE_EPOCH"]
            else:
                os.environ["SOURCE_DATE_EPOCH"] = given
