"""CEL that parses image references and patterns of them like shared.policy.patterns.images, and compares them.

CEL has no functions of one's own, so each step of the parser is a variable: a list with a map for each reference.
"""

from collections.abc import Iterator
from typing import Final

from shared.policy.admission.cel import fits_one
from shared.policy.admission.sides import Variable
from shared.policy.patterns.images import (
    DIGEST,
    DOCKER_HUB,
    DOCKER_HUB_ALIASES,
    LATEST,
    LONGEST_REPOSITORY,
    REGISTRY,
    REPOSITORY,
    TAG,
)

_NAME, _TEXT, _DIGEST = "m.name", "m.text", "m.digest"
_COLON: Final = f"{_NAME}.lastIndexOf(':')"
_TAGGED: Final = f"({_COLON} >= 0 && !{_NAME}.substring({_COLON} + 1).contains('/'))"
_FIRST: Final = f"{_NAME}.split('/')[0]"
_IS_REGISTRY: Final = f"({_FIRST}.contains('.') || {_FIRST}.contains(':') || {_FIRST} == 'localhost' || {_FIRST} != {_FIRST}.lowerAscii())"
_ALIASES: Final = "[" + ", ".join(f"'{alias}'" for alias in sorted(DOCKER_HUB_ALIASES)) + "]"


def parsed(name: str, texts: str, *, wildcards: bool = False) -> Iterator[Variable]:
    """Variables of which the last, `name`, is the list of parsed references.

    Each is a map with `text`, `registry`, `repository`, `tag`, `digest`, and whether the reference is `valid`. Of a pattern
    (`wildcards`), `tagged` and `pinned` tell whether it has a tag and a digest, which otherwise may have any value.
    """
    at = "i.indexOf('@')"
    bare = f"{at} < 0 ? i : i.substring(0, {at})"
    digest = f"{at} < 0 ? '' : i.substring({at} + 1).lowerAscii()"
    yield f"{name}AtDigest", f"{texts}.map(i, {_map(text='i', pinned=f'{at} >= 0', name=bare, digest=digest)})"
    kept = {"text": _TEXT, "pinned": "m.pinned", "digest": _DIGEST}
    tag = f"{_TAGGED} ? {_NAME}.substring({_COLON} + 1) : '{LATEST}'"
    bare = f"{_TAGGED} ? {_NAME}.substring(0, {_COLON}) : {_NAME}"
    yield f"{name}AtTag", f"variables.{name}AtDigest.map(m, {_map(**kept, tagged=_TAGGED, tag=tag, name=bare)})"
    kept |= {"tagged": "m.tagged", "tag": "m.tag"}
    is_registry = f"{_NAME}.contains('/') && ({_IS_REGISTRY}{_or_star(wildcards)})"
    path = f"{is_registry} ? {_NAME}.substring({_NAME}.indexOf('/') + 1) : {_NAME}"
    host = f"{is_registry} ? {_FIRST} : '{DOCKER_HUB}'"
    if wildcards:
        path, host = (f"{_NAME} == '*' ? '*' : ({each})" for each in (path, host))
    short = f"!{_NAME}.contains('/')" + (f" && {_NAME} != '*'" if wildcards else "")
    yield f"{name}AtRegistry", f"variables.{name}AtTag.map(m, {_map(**kept, host=host, path=path, short=short)})"
    canonical = f"m.host.lowerAscii() in {_ALIASES} ? '{DOCKER_HUB}' : m.host.lowerAscii()"
    one_part = "!m.path.contains('/')" + (" && !m.path.contains('*')" if wildcards else "")
    of_library = f"(m.short || (m.host.lowerAscii() in {_ALIASES} && {one_part}))"
    parts = {"registry": canonical, "repository": f"{of_library} ? 'library/' + m.path : m.path"}
    if not wildcards:
        parts["valid"] = _valid(of_library)
    yield name, f"variables.{name}AtRegistry.map(m, {_map(**kept, **parts)})"


def _map(**fields: str) -> str:
    """A map of CEL expressions. The API server wants values of one type."""
    return "{" + ", ".join(f"'{name}': dyn({value})" for name, value in fields.items()) + "}"


def image_matches(image: str, patterns: str) -> str:
    """Whether the parsed image matches one of the parsed patterns."""
    tag = f"{image}.pinned ? '' : {image}.tag"
    return (
        f"{patterns}.exists(q, {fits_one(f'{image}.registry', 'q.registry')}"
        f" && {fits_one(f'{image}.repository', 'q.repository')}"
        f" && (!q.tagged || {fits_one(f'({tag})', 'q.tag')})"
        f" && (!q.pinned || {fits_one(f'{image}.digest', 'q.digest')}))"
    )


def _or_star(wildcards: bool) -> str:
    return f" || {_FIRST} == '*'" if wildcards else ""


def _valid(of_library: str) -> str:
    repository = f"({of_library} ? 'library/' + m.path : m.path)"
    return (
        f"{_whole('m.host', REGISTRY.pattern)} && {_whole('m.path', REPOSITORY.pattern)}"
        f" && size({repository}) <= {LONGEST_REPOSITORY}"
        f" && (!m.tagged || {_whole('m.tag', TAG.pattern)}) && (!m.pinned || {_whole(_DIGEST, DIGEST.pattern)})"
    )


def _whole(text: str, pattern: str) -> str:
    return f"{text}.matches(r'^(?:{pattern})$')"
