"""The part of an object that can be read although other values do not match the schema, and what is wrong with it. Pure.

Values that cannot be read are replaced, so that indexes and references stay as they are: by what was clearly meant (`"5"`
for 5), else by nothing or by the simplest value. A fault of that object may be only a consequence: a step that waits for a
step whose name cannot be read. So the object is judged again with other values in those places, among them the words of
its faults. A fault that one of them makes disappear is not reported.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Any, Final

import msgspec

from shared.codec.api_words import split_place
from shared.kinds import Kind
from shared.model.types import Body
from shared.violation import Violation
from webhook.envelope.patch import value_at
from webhook.verdict.replacements import ABSENT, Schema, as_meant, other_values, simplest
from webhook.verdict.schema_faults import fault_of_model, path_text, schema_errors, without_nulls

Faults = Mapping[str, Sequence[Violation]]
"""Faults by the rule that found them."""
Judge = Callable[[Body], Faults | str]
"""The faults of an object, or why its model cannot be made."""

SCHEMA: Final = "schema"
_ROUNDS: Final = 3  # a replacement can bring out further errors
_MOST_GAPS: Final = 50
_MOST_VARIANTS: Final = 48
_MOST_WORDS: Final = 12
_PART: Final = re.compile(r"[^.\[\]]+")
_QUOTED: Final = re.compile(r'"([^"]+)"')
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Gap(msgspec.Struct, frozen=True):
    """A value that does not match the schema. `needed`: the object cannot be read without a value here; `certain`: what was
    meant is known, so that nothing else is tried.
    """

    path: tuple[str | int, ...]
    schema: Schema
    needed: bool
    value: Any
    certain: bool


def readable_part(kind: Kind, body: Body) -> Body:
    """`body` with replacements for the values that do not match the schema."""
    clean = without_nulls(body)
    return _filled(clean, [(gap, gap.value) for gap in _gaps(kind, clean)])


def faults_of_readable_part(kind: Kind, body: Body, judge: Judge) -> Faults:
    """The faults that `body` has with each of the values that are tried in place of the unreadable ones. Under SCHEMA: what
    only the model refuses.
    """
    clean = without_nulls(body)
    gaps = _gaps(kind, clean)
    first = judge(_filled(clean, [(gap, gap.value) for gap in gaps]))
    of_model = []
    while isinstance(first, str) and len(gaps) < _MOST_GAPS and (gap := _of_model(first, clean, gaps)) is not None:
        gaps.append(gap)
        of_model.append(fault_of_model(kind, first))
        first = judge(_filled(clean, [(gap, gap.value) for gap in gaps]))
    more = {SCHEMA: of_model} if of_model else {}
    if isinstance(first, str) or len(gaps) > _MOST_GAPS:
        return more
    found = {rule: [one for one in each if not _covered(one.path, gaps)] for rule, each in first.items()}
    for values in islice(_variants(gaps, _words(found)), _MOST_VARIANTS):
        if not any(found.values()):
            break
        other = judge(_filled(clean, zip(gaps, values, strict=True)))
        if not isinstance(other, str):
            found = {rule: _standing(each, other.get(rule, ())) for rule, each in found.items()}
    return more | {rule: each for rule, each in found.items() if each}


def _gaps(kind: Kind, body: Body) -> list[Gap]:
    found: dict[tuple[str | int, ...], Gap] = {}
    for _ in range(_ROUNDS):
        filled = _filled(body, [(gap, gap.value) for gap in found.values()])
        more = [_gap(error, filled, len(found) + at) for at, error in enumerate(schema_errors(kind, filled))]
        if not (new := {gap.path: gap for gap in more if gap is not None}):
            break
        found |= new
    return list(found.values())


def _gap(error: Any, body: Body, number: int) -> Gap | None:
    """`number`: makes the names of replacements differ."""
    path, schema = tuple(error.absolute_path), error.schema
    if error.validator == "pattern":
        return None  # models have no patterns
    if error.validator == "required":
        missing = error.message.split("'")[1]
        path, schema, needed = (*path, missing), schema.get("properties", {}).get(missing, {}), True
    else:
        needed = not path or isinstance(path[-1], int)
    if not path:
        return None
    meant = as_meant(schema, error.instance) if error.validator == "type" else ABSENT
    if meant is not ABSENT:
        return Gap(path, schema, needed, meant, certain=True)
    return Gap(path, schema, needed, simplest(schema, f"unreadable-{number}") if needed else ABSENT, certain=False)


def _of_model(text: str, body: Body, gaps: Sequence[Gap]) -> Gap | None:
    """The gap of an error that only the model has; None if its place is not known, or if nothing helps there."""
    place = split_place(text)[1]
    path: tuple[str | int, ...] = ("spec", *(int(part) if part.isdigit() else part for part in _PART.findall(place)))
    value = value_at(body, path)
    needed = isinstance(path[-1], int)
    if len(path) == 1 or (value is None and not needed) or any(gap.path == path for gap in gaps):
        return None
    meant = as_meant({"type": "string"}, value)
    known = meant is not ABSENT
    return Gap(path, {}, needed, meant if known else "unreadable" if needed else ABSENT, certain=known)


def _filled(body: Body, values: Iterable[tuple[Gap, Any]]) -> Body:
    """A copy of `body` with the values in place of the gaps."""
    made = copy.deepcopy(body)
    for gap, value in values:
        holder: Any = value_at(made, gap.path[:-1])
        last: Any = gap.path[-1]
        if holder is None:
            continue  # another gap has replaced what was around it
        if value is not ABSENT:
            holder[last] = value
        elif isinstance(holder, dict):
            holder.pop(last, None)
    return made


def _variants(gaps: Sequence[Gap], words: Sequence[str]) -> Iterator[list[Any]]:
    """Other values for the gaps: first of all at once, then of one alone."""
    base = [gap.value for gap in gaps]
    others = [[] if gap.certain else other_values(gap.schema, words, needed=gap.needed) for gap in gaps]
    for row in zip_longest(*others, fillvalue=None):
        yield [
            value if value is not None else _last(tried, gap)
            for value, tried, gap in zip(row, others, gaps, strict=True)
        ]
    if sum(bool(tried) for tried in others) > 1:
        for at, tried in enumerate(others):
            yield from ([*base[:at], value, *base[at + 1 :]] for value in tried)


def _last(tried: Sequence[Any], gap: Gap) -> Any:
    return tried[-1] if tried else gap.value


def _words(found: Faults) -> list[str]:
    """What the faults name, the most likely names first."""
    violations = [one for each in found.values() for one in each]
    quoted = [word for one in violations for word in _QUOTED.findall(one.message)]
    values = [one.value for one in violations if isinstance(one.value, str)]
    parts = [word for text in (*values, *(one.message for one in violations)) for word in _WORD.findall(text)]
    likely = [*values, *quoted, *parts] if len(values) < _MOST_WORDS else values
    return list(dict.fromkeys(likely))[:_MOST_WORDS]


def _standing(found: Sequence[Violation], other: Sequence[Violation]) -> list[Violation]:
    """The faults of a rule that another variant does not refute. If the rule finds a new fault there, which may hide the
    others, nothing is refuted.
    """
    before, after = {_key(one) for one in found}, {_key(one) for one in other}
    return [one for one in found if _key(one) in after or not after <= before]


def _key(violation: Violation) -> tuple[str, str]:
    return violation.path, violation.reason


def _covered(path: str, gaps: Iterable[Gap]) -> bool:
    """Whether a fault is about an unreadable value, which has been reported. What is below a value of which is certain how
    it was meant has faults of its own.
    """
    for gap in gaps:
        where = path_text(gap.path)
        if path == where or (not gap.certain and path.startswith((f"{where}.", f"{where}["))):
            return True
    return False
