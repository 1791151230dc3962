"""Replaces placeholders such as `$(params.N)` in the strings of a JSON value.

Works on parsed strings, so a value can never become JSON structure. Keys of maps are not changed. Each string is read
once, in linear time, and inserted text is not read again. `$$(` and every other `$(X)` stay: Kubernetes expands them.
See docs/design/jobflow-api.md, section 6.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec


class Form(StrEnum):
    """What a reference names; the value shows how it is written."""

    PARAM = "params.NAME"
    ITEM = "item"
    ITEM_KEY = "item.KEY"
    INDEX = "index"
    FLOW_NAME = "flow.name"
    FLOW_NAMESPACE = "flow.namespace"
    STEP_NAME = "step.name"
    OUTPUT = "steps.NAME.outputs.KEY"
    UNKNOWN = ""  # has one of our prefixes, but none of these forms


class Reference(msgspec.Struct, frozen=True):
    """One `$(...)`. `path`: of its string in the JSON value; `step`: for OUTPUT only; `key`: for the forms that have one."""

    text: str
    path: str
    form: Form
    key: str = ""
    step: str = ""


class SubstitutionFault(msgspec.Struct, frozen=True):
    """A reference without a value: its path in the JSON value, its text and the reason."""

    path: str
    text: str
    message: str


class Known(msgspec.Struct, frozen=True):
    """The names that may be used at a place. `item_keys`: of the loop's items, None if they are known only at run time."""

    params: Collection[str] = ()
    steps: Collection[str] = ()
    upstream: Collection[str] = ()
    outputs: Mapping[str, Collection[str]] = {}
    loop: bool = False
    item_keys: Collection[str] | None = None


class Values(msgspec.Struct, frozen=True):
    """The values of references. `item`: the loop's item as JSON, UNSET outside loops."""

    params: Mapping[str, str]
    flow_name: str
    flow_namespace: str
    step_name: str
    outputs: Mapping[str, Mapping[str, str]] = {}
    item: Any = msgspec.UNSET
    index: int | None = None


class Substituted(msgspec.Struct, frozen=True):
    """A copy of the value with all references replaced, and the faults of those that could not be replaced."""

    value: Any
    faults: tuple[SubstitutionFault, ...] = ()


MAX_DEPTH: Final = 128
"""Levels of a JSON value that are read; Kubernetes' own objects have fewer than 30."""

MAX_ADDED: Final = 3 * 1024 * 1024
"""Total size of all replacements. It keeps a small template from filling the memory; an API server stores half of it."""

Lookup = Callable[[Reference], str | None]

# Names have a maximum length, so that an unclosed `$(` does not cause the rest to be read again.
_TOKEN: Final = re.compile(r"\$\$|\$\(([A-Za-z0-9_.-]{1,200})\)", re.ASCII)
_WHOLE: Final = {
    form.value: form for form in (Form.ITEM, Form.INDEX, Form.FLOW_NAME, Form.FLOW_NAMESPACE, Form.STEP_NAME)
}
_OURS: Final = ("params.", "item.", "flow.", "step.", "steps.", "index.")


def references_in(value: Any, path: str = "") -> list[Reference]:
    """Every reference in the strings of a JSON value, in order. `path`: of the value itself."""
    return [reference for where, text in _strings(value, path) for reference in _references(text, where)]


def substitute(value: Any, lookup: Lookup, path: str = "") -> Substituted:
    """Replaces each reference by the result of `lookup`; None is a fault."""
    writer = _Writer(lookup)
    copy = _copy(value, path, 0, writer)
    return Substituted(copy, tuple(writer.faults))


def lookup_in(values: Values) -> Lookup:
    """A lookup for substitute()."""

    def lookup(reference: Reference) -> str | None:
        return _GIVEN[reference.form](values, reference)

    return lookup


def check(references: list[Reference], known: Known) -> list[SubstitutionFault]:
    """The references that are not in `known`, each with a remedy."""
    found = ((reference, _CHECKS[reference.form](reference, known)) for reference in references)
    return [SubstitutionFault(reference.path, reference.text, message) for reference, message in found if message]


def member(path: str, key: str) -> str:
    """The path of a map's entry: `a.b`, or `a[b/c]` if the key is not a plain name."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def _strings(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        for key, item in value.items():
            yield from _strings(item, member(path, key), depth + 1)
    elif isinstance(value, list) and depth < MAX_DEPTH:
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]", depth + 1)


_Place = tuple[Any, str | int] | str
"""Where a value is: the place above it with a key or index, or the path of the whole. Most values need no path."""


def _copy(value: Any, place: _Place, depth: int, writer: "_Writer") -> Any:
    if isinstance(value, str):
        return writer.replace(value, _path(place)) if "$(" in value else value
    if isinstance(value, dict) and depth < MAX_DEPTH:
        return {key: _copy(item, (place, key), depth + 1, writer) for key, item in value.items()}
    if isinstance(value, list) and depth < MAX_DEPTH:
        return [_copy(item, (place, index), depth + 1, writer) for index, item in enumerate(value)]
    return value


def _path(place: _Place) -> str:
    if isinstance(place, str):
        return place
    above, part = _path(place[0]), place[1]
    return f"{above}[{part}]" if isinstance(part, int) else member(above, part)


def _references(text: str, path: str) -> Iterator[Reference]:
    if "$(" not in text:
        return
    for match in _TOKEN.finditer(text):
        reference = _reference(match, path)
        if reference is not None:
            yield reference


class _Writer:
    """Replaces references until the replacements exceed MAX_ADDED, and collects faults."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.faults: list[SubstitutionFault] = []
        self.left = MAX_ADDED

    def replace(self, text: str, path: str) -> str:
        return _TOKEN.sub(lambda match: self._replacement(match, path), text)

    def _replacement(self, match: re.Match[str], path: str) -> str:
        reference = _reference(match, path)
        if reference is None or self.left < 0:
            return match[0]
        found = None if reference.form is Form.UNKNOWN else self.lookup(reference)
        if found is None:
            said = _UNKNOWN if reference.form is Form.UNKNOWN else _ABSENT
            self.faults.append(SubstitutionFault(path, reference.text, said))
            return match[0]
        self.left -= len(found)
        if self.left < 0:
            self.faults.append(SubstitutionFault(path, reference.text, _TOO_MUCH))
        return found


_ABSENT: Final = "it has no value here"
_TOO_MUCH: Final = f"the inserted values have more than {MAX_ADDED} characters in all; no object may be that large"
_UNKNOWN: Final = f"no such reference; known: {', '.join(f'$({form.value})' for form in Form if form.value)}"


def _reference(match: re.Match[str], path: str) -> Reference | None:
    name = match[1]
    if name is None:
        return None
    text = match[0]
    if name in _WHOLE:
        return Reference(text, path, _WHOLE[name])
    if not name.startswith(_OURS):
        return None
    head, _, rest = name.partition(".")
    step, _, key = rest.partition(".outputs.")
    if head == "steps" and step and key:
        return Reference(text, path, Form.OUTPUT, key, step)
    form = {"params": Form.PARAM, "item": Form.ITEM_KEY}.get(head, Form.UNKNOWN)
    return Reference(text, path, form if rest else Form.UNKNOWN, rest)


def _item_text(item: Any) -> str | None:
    if item is msgspec.UNSET:
        return None
    return item if isinstance(item, str) else msgspec.json.encode(item).decode()


def _given_key(values: Values, reference: Reference) -> str | None:
    if not isinstance(values.item, dict) or reference.key not in values.item:
        return None
    return _item_text(values.item[reference.key])


def _given_output(values: Values, reference: Reference) -> str | None:
    return values.outputs.get(reference.step, {}).get(reference.key)


_GIVEN: Final[dict[Form, Callable[[Values, Reference], str | None]]] = {
    Form.PARAM: lambda values, reference: values.params.get(reference.key),
    Form.ITEM: lambda values, _: _item_text(values.item),
    Form.ITEM_KEY: _given_key,
    Form.INDEX: lambda values, _: None if values.index is None else str(values.index),
    Form.FLOW_NAME: lambda values, _: values.flow_name,
    Form.FLOW_NAMESPACE: lambda values, _: values.flow_namespace,
    Form.STEP_NAME: lambda values, _: values.step_name,
    Form.OUTPUT: _given_output,
    Form.UNKNOWN: lambda _values, _reference: None,
}


def _check_param(reference: Reference, known: Known) -> str:
    if reference.key in known.params:
        return ""
    return f'no param named "{reference.key}"{_nearest(reference.key, known.params) or _DECLARE.format("spec.params")}'


def _check_loop(_reference: Reference, known: Known) -> str:
    return "" if known.loop else "it has a value only in a step with `for`"


def _check_key(reference: Reference, known: Known) -> str:
    if not known.loop or known.item_keys is None or reference.key in known.item_keys:
        return _check_loop(reference, known)
    if not known.item_keys:
        return "the loop's items have no keys; write $(item)"
    return f'the loop\'s items have no key "{reference.key}"{_nearest(reference.key, known.item_keys)}'


def _check_output(reference: Reference, known: Known) -> str:
    step, key = reference.step, reference.key
    if step not in known.steps:
        return f'no step named "{step}"{_nearest(step, known.steps)}'
    if step not in known.upstream:
        return f'step "{step}" does not end before this one starts; make it a target, directly or through other steps'
    declared = known.outputs.get(step, ())
    if key in declared:
        return ""
    return f'step "{step}" has no output "{key}"{_nearest(key, declared) or _DECLARE.format("its outputs")}'


_DECLARE: Final = "; declare it in {}"


def _nearest(name: str, names: Collection[str]) -> str:
    similar = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.6)
    return f'; did you mean "{similar[0]}"?' if similar else ""


def _fine(_reference: Reference, _known: Known) -> str:
    return ""


_CHECKS: Final[dict[Form, Callable[[Reference, Known], str]]] = {
    Form.PARAM: _check_param,
    Form.ITEM: _check_loop,
    Form.ITEM_KEY: _check_key,
    Form.INDEX: _check_loop,
    Form.FLOW_NAME: _fine,
    Form.FLOW_NAMESPACE: _fine,
    Form.STEP_NAME: _fine,
    Form.OUTPUT: _check_output,
    Form.UNKNOWN: lambda _reference, _known: _UNKNOWN,
}
