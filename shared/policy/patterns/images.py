"""Image references and patterns of them, compared part by part.

A pattern is never matched with the raw text of an image. `registry.example.com/../evil/x` is not a valid reference, and
in `registry.example.com/*` the registry must be equal, so neither that nor `registry.example.com.evil.io/x` matches. The
grammar and the defaults are those of the container runtimes (github.com/distribution/reference).
"""

import fnmatch
import re
from collections.abc import Iterable
from typing import Final

import msgspec

DOCKER_HUB: Final = "docker.io"
DOCKER_HUB_ALIASES: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
LATEST: Final = "latest"
LONGEST_REPOSITORY: Final = 255

_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
REGISTRY: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?", re.ASCII)
REPOSITORY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}", re.ASCII)


class ImageReference(msgspec.Struct, frozen=True):
    """`registry`: lower case, with its port; `repository`: its path; `tag`: '' if the digest decides; `digest`: or ''."""

    registry: str
    repository: str
    tag: str
    digest: str


def parse_image(text: str) -> ImageReference | None:
    """The reference as a container runtime reads it (`busybox` is `docker.io/library/busybox:latest`); None if invalid."""
    name, at, digest = text.partition("@")
    name, tag = _split_tag(name)
    registry, repository = _split_registry(name)
    valid = (
        REGISTRY.fullmatch(registry)
        and REPOSITORY.fullmatch(repository)
        and len(repository) <= LONGEST_REPOSITORY
        and (tag is None or TAG.fullmatch(tag))
        and (not at or DIGEST.fullmatch(digest))
    )
    if not valid:
        return None
    return ImageReference(
        _canonical(registry), repository, "" if at else LATEST if tag is None else tag, digest.lower()
    )


class ImagePattern(msgspec.Struct, frozen=True):
    """One compiled pattern. None: any value is accepted for that part."""

    registry: re.Pattern[str] | None
    repository: re.Pattern[str] | None
    tag: re.Pattern[str] | None
    digest: re.Pattern[str] | None

    def matches(self, image: ImageReference) -> bool:
        parts = (
            (self.registry, image.registry),
            (self.repository, image.repository),
            (self.tag, image.tag),
            (self.digest, image.digest),
        )
        return all(pattern is None or pattern.fullmatch(text) for pattern, text in parts)


def image_pattern(text: str) -> ImagePattern:
    """`*` is any image; else `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]` with the wildcards `*` and `?` in every part.

    Without a tag any tag matches, and without a digest any digest or none. In the repository `*` also matches `/`.
    """
    name, at, digest = text.partition("@")
    name, tag = _split_tag(name)
    if name == "*":
        registry, repository = "*", "*"
    else:
        registry, repository = _split_registry(name, wildcard=True)
    return ImagePattern(
        _wildcards(_canonical(registry)),
        _wildcards(repository),
        None if tag is None else _wildcards(tag),
        _wildcards(digest.lower()) if at else None,
    )


def image_pattern_fault(text: str) -> str | None:
    """Why `text` is not a useful pattern of images, or None."""
    name, _ = _split_tag(text.partition("@")[0])
    if name != "*" and "/" not in name and "." in name and "*" in name:
        return (
            "without a / it matches images of Docker Hub only; for all images of a registry write "
            f'"{name.rstrip("*")}/*"'
        )
    return None


def image_pattern_doubt(text: str) -> str | None:
    """Why no image matches `text`, or None. Stored policies may have such patterns beside others, so that it is no fault."""
    whole, at, digest = text.partition("@")
    name, tag = _split_tag(whole)
    if not name:
        return "matches no image: the repository is missing"
    if at and digest and tag not in (None, "", "*"):
        return f'matches no image, because the tag of an image with a digest is ignored: write "{name}@{digest}" or "{whole}"'
    return None


class ImagePatterns:
    """Several patterns, of which one must match."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        self._patterns = tuple(image_pattern(text) for text in self.texts)

    def match(self, image: ImageReference) -> bool:
        return any(pattern.matches(image) for pattern in self._patterns)


def _split_tag(name: str) -> tuple[str, str | None]:
    """A colon before the last slash belongs to the port of the registry."""
    start, colon, tag = name.rpartition(":")
    return (start, tag) if colon and "/" not in tag else (name, None)


def _split_registry(name: str, *, wildcard: bool = False) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_registry = "." in first or ":" in first or first == "localhost" or first != first.lower()
    if slash and (is_registry or (wildcard and first == "*")):
        if _canonical(first) == DOCKER_HUB and "/" not in rest and "*" not in rest:
            return first, f"library/{rest}"
        return first, rest
    return DOCKER_HUB, name if slash else f"library/{name}"


def _canonical(registry: str) -> str:
    lower = registry.lower()
    return DOCKER_HUB if lower in DOCKER_HUB_ALIASES else lower


def _wildcards(text: str) -> re.Pattern[str] | None:
    return None if text == "*" else re.compile(fnmatch.translate(text.replace("[", "[[]")))
