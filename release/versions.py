"""The one version: `python -m release.versions X.Y.Z` writes it to every place that states it."""

import re
import sys
from pathlib import Path
from typing import Final

PLACES: Final = (
    ("pyproject.toml", r'(?m)^version = "(?P<said>[^"]*)"$'),
    ("helm/jobflow/Chart.yaml", r"(?m)^version: (?P<said>\S+)$"),
    ("helm/jobflow/Chart.yaml", r'(?m)^appVersion: "(?P<said>[^"]*)"$'),
)
"""File and pattern. The tag of the images is the chart's appVersion, and `jobflow --version` reads what is installed."""
_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class VersionError(ValueError):
    """A version that is none, or a file that does not state it."""


def check(version: str) -> str:
    """The version if it is one for Python and Helm alike. Raises VersionError."""
    if not _VERSION.fullmatch(version):
        raise VersionError(f"VERSION={version}: must be three numbers such as 1.2.3")
    return version


def stated(root: Path) -> list[tuple[str, str]]:
    """What each place says: file, version. Raises VersionError where a file says none."""
    return [(file, _find(root / file, pattern)["said"]) for file, pattern in PLACES]


def stamp(root: Path, version: str) -> None:
    """Write the version to every place below `root`."""
    for file, pattern in PLACES:
        found = _find(root / file, pattern)
        text = found.string
        (root / file).write_text(text[: found.start("said")] + check(version) + text[found.end("said") :])


def _find(path: Path, pattern: str) -> re.Match[str]:
    found = re.search(pattern, path.read_text())
    if not found:
        raise VersionError(f"{path} does not state a version")
    return found


if __name__ == "__main__":
    try:
        stamp(Path.cwd(), sys.argv[1])
    except VersionError as error:
        sys.exit(str(error))
