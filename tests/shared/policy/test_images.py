"""Image references are parsed as by container runtimes, and patterns are compared part by part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.patterns.images import (
    ImagePatterns,
    ImageReference,
    image_pattern_doubt,
    image_pattern_fault,
    parse_image,
)

DIGEST = "sha256:" + "0123456789abcdef" * 4

REFERENCES: dict[str, tuple[str, str, str, str]] = {
    "busybox": ("docker.io", "library/busybox", "latest", ""),
    "busybox:1.36": ("docker.io", "library/busybox", "1.36", ""),
    "user/app": ("docker.io", "user/app", "latest", ""),
    "docker.io/busybox": ("docker.io", "library/busybox", "latest", ""),
    "index.docker.io/user/app": ("docker.io", "user/app", "latest", ""),
    "registry.corp/app": ("registry.corp", "app", "latest", ""),
    "REGISTRY.corp/app": ("registry.corp", "app", "latest", ""),
    "localhost/app": ("localhost", "app", "latest", ""),
    "host:5000/a/b:2": ("host:5000", "a/b", "2", ""),
    "[::1]:5000/app": ("[::1]:5000", "app", "latest", ""),
    f"registry.corp/app@{DIGEST}": ("registry.corp", "app", "", DIGEST),
    f"registry.corp/app:1@{DIGEST}": ("registry.corp", "app", "", DIGEST),
}


@pytest.mark.parametrize(("text", "parts"), REFERENCES.items(), ids=REFERENCES)
def test_an_image_is_parsed_as_by_a_container_runtime(text: str, parts: tuple[str, str, str, str]) -> None:
    assert parse_image(text) == ImageReference(*parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1",
        "a//b",
        "/a",
        "a/",
        "registry.example.com/../evil/x",
        "registry.example.com/./x",
        "registry.example.com/a%2f..",
        "registry.example.com\\@evil.io/x",
        "registry.example.com@evil.io/x",
        "registry.example.com/x y",
        "registry.example.com/x\n",
        "registry.example.com/Upper",
        "http://registry.example.com/x",
        "app:",
        "app:a/b:",
        "app:tag!",
        "app@sha256:short",
        "app@" + DIGEST + "@" + DIGEST,
        "app:" + "t" * 129,
        "a" * 256,
        "$(params.image)",
    ],
)
def test_an_invalid_image_is_not_parsed(text: str) -> None:
    assert parse_image(text) is None


MATCHES: dict[str, tuple[str, str, bool]] = {
    "any image": ("*", "evil.io/x:1", True),
    "a registry": ("registry.example.com/*", "registry.example.com/team/app:1", True),
    "a registry in upper case": ("registry.example.com/*", "Registry.Example.com/app", True),
    "a longer host": ("registry.example.com/*", "registry.example.com.evil.io/app", False),
    "another port": ("registry.example.com/*", "registry.example.com:5000/app", False),
    "the host inside the path": ("registry.example.com/*", "evil.io/registry.example.com/app", False),
    "a path that leaves the registry": ("registry.example.com/*", "registry.example.com/../evil/x", False),
    "subdomains": ("*.example.com/*", "a.example.com/app", True),
    "subdomains do not reach the path": ("*.example.com/*", "evil.io/a.example.com/app", False),
    "any registry": ("*/app", "registry.corp/app:3", True),
    "a repository": ("registry.corp/team-a/*", "registry.corp/team-b/app", False),
    "one character": ("registry.corp/team-?/app", "registry.corp/team-a/app", True),
    "an image of Docker Hub": ("busybox", "docker.io/library/busybox:1", True),
    "an image of Docker Hub by its full name": ("docker.io/library/busybox", "busybox", True),
    "an image of Docker Hub without library": ("docker.io/busybox", "busybox", True),
    "an alias of Docker Hub": ("index.docker.io/user/*", "user/app", True),
    "a user of Docker Hub": ("user/*", "user/app", True),
    "the same name elsewhere": ("busybox", "evil.io/busybox", False),
    "a tag": ("busybox:1.36", "busybox:1.36", True),
    "another tag": ("busybox:1.36", "busybox:1.37", False),
    "a pattern of tags": ("busybox:1.*", "busybox:1.37", True),
    "latest by default": ("busybox:latest", "busybox", True),
    "a tag is not a digest": ("busybox:1.36", f"busybox:1.36@{DIGEST}", False),
    "any digest": ("busybox@sha256:*", f"busybox@{DIGEST}", True),
    "no digest": ("busybox@sha256:*", "busybox:1", False),
    "brackets are literal": ("registry.corp/[ab]*", "registry.corp/a", False),
}


@pytest.mark.parametrize(("pattern", "text", "wanted"), MATCHES.values(), ids=MATCHES)
def test_a_pattern_is_compared_part_by_part(pattern: str, text: str, wanted: bool) -> None:
    image = parse_image(text)
    for patterns in ([pattern], ["registry.other/x", pattern]):
        assert (image is not None and ImagePatterns(patterns).match(image)) is wanted


NOTHING: dict[str, str | None] = {
    "app:1.*@sha256:*": 'write "app@sha256:*" or "app:1.*"',
    "registry.corp:5000/app:1@sha256:*": 'write "registry.corp:5000/app@sha256:*" or "registry.corp:5000/app:1"',
    "app:": None,
    "app@": None,
    ":1": "the repository is missing",
    "@sha256:*": "the repository is missing",
    "app:*@sha256:*": None,
    "app@sha256:*": None,
    "registry.corp:5000/app": None,
    "*": None,
}


@pytest.mark.parametrize(("pattern", "said"), NOTHING.items(), ids=NOTHING)
def test_a_pattern_that_matches_no_image_is_doubted(pattern: str, said: str | None) -> None:
    doubt = image_pattern_doubt(pattern)
    assert (doubt is None) == (said is None)
    assert said is None or (doubt is not None and said in doubt)
    if doubt is not None:
        images = ["app", "app:1", f"app@{DIGEST}", f"app:1.2@{DIGEST}", f"registry.corp:5000/app:1@{DIGEST}"]
        assert not any(ImagePatterns([pattern]).match(each) for text in images if (each := parse_image(text)))


def test_a_pattern_of_a_registry_needs_a_slash() -> None:
    assert "registry.example.com/*" in (image_pattern_fault("registry.example.com*") or "")
    assert image_pattern_fault("registry.example.com/*") is None
    assert image_pattern_fault("*") is None
    assert image_pattern_fault("busybox:1.*") is None


@given(st.text(alphabet="ab./:@-_*[]A0\n", max_size=30))
def test_any_text_is_parsed_without_an_exception(text: str) -> None:
    image = parse_image(text)
    if image is not None:
        assert ImagePatterns(["*"]).match(image)
        # A host without dot and port is only read as one for its capitals; in a pattern it is a user of Docker Hub.
        host = any(sign in image.registry for sign in ".:")
        assert ImagePatterns([f"{image.registry}/*"]).match(image) or "[" in image.registry or not host
        assert not ImagePatterns(["registry.example.com/*"]).match(image)
