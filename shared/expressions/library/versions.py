"""Semantic versions 2.0.0, with the results of Kubernetes' CEL library (github.com/blang/semver)."""

import re
from functools import total_ordering
from typing import Final

import msgspec

_NUMBER: Final = r"(?:0|[1-9][0-9]{0,18})"
_IDENTIFIER: Final = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION: Final = re.compile(
    rf"(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)


@total_ordering
class Version(msgspec.Struct, frozen=True):
    """A version without its build metadata, which does not take part in comparisons."""

    major: int
    minor: int
    patch: int
    pre: tuple[str, ...] = ()

    def __lt__(self, other: "Version") -> bool:
        return self._key() < other._key()

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{'.'.join(self.pre)}" if self.pre else "")

    def _key(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        """A release is above its pre-releases; numeric identifiers are below others and compare as numbers."""
        pre = tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in self.pre)
        return self.major, self.minor, self.patch, not self.pre, pre


def version(text: str, normalize: bool = False) -> Version:
    """Raises ValueError. `normalize`: also reads `v1.0` and `01.2`, as `1.0.0` and `1.2.0`."""
    match = _VERSION.fullmatch(_normalized(text) if normalize else text)
    if match is None:
        raise ValueError(f"{text[:60]!r} is not a semantic version")
    pre = tuple(match["pre"].split(".")) if match["pre"] else ()
    return Version(int(match["major"]), int(match["minor"]), int(match["patch"]), pre)


def is_version(text: str, normalize: bool = False) -> bool:
    try:
        version(text, normalize)
    except ValueError:
        return False
    return True


def compare(one: str, other: str) -> int:
    first, second = version(one), version(other)
    return (first > second) - (first < second)


def _normalized(text: str) -> str:
    """Without a leading `v` and leading zeros, and with the missing numbers."""
    core = text.removeprefix("v")
    rest = core.lstrip("0123456789.")
    core = core[: len(core) - len(rest)]
    numbers = [part.lstrip("0") or "0" if part else part for part in core.split(".")]
    if len(numbers) < 3 and rest:
        return text
    return ".".join([*numbers, *["0"] * (3 - len(numbers))]) + rest
