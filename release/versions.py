"""The one version: `python -m release.versions X.Y.Z` writes it to every place that states it, `--check X.Y.Z` compares."""

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


def differing(root: Path, version: str) -> list[str]:
    """The places that state another version, in words."""
    return [f"{file} says {said}, not {version}" for file, said in stated(root) if said != version]


def main(argv: list[str]) -> int:
    *options, version = argv or [""]
    try:
        check(version)
        if options == ["--check"]:
            different = differing(Path.cwd(), version)
            print("".join(f"{line}\n" for line in different), end="", file=sys.stderr)
            return 1 if different else 0
        stamp(Path.cwd(), version)
    except VersionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
