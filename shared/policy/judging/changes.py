"""Which faults of an updated object count: those that are new, and those whose values the update has changed.

An object that was stored before a policy existed may violate it. Its updates are refused only as far as they make a new
violation or change a value that the violated rule reads, so that labels, finalizers and unrelated fields can be changed.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from shared.model.types import Body
from shared.policy.compiled.rules import CompiledRule
from shared.policy.context import PolicyContext
from shared.policy.fault import PolicyFault
from shared.policy.raw import mapping

_STEP: Final = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
_OF_SERVER: Final = ("managedFields", "resourceVersion", "generation", "selfLink")
_OF_CONTROLLERS: Final = ("finalizers", "ownerReferences")
_OWN: Final = "rules."
_ABSENT: Final = object()


def new_faults(
    faults: Iterable[PolicyFault], before: Iterable[PolicyFault], rules: Iterable[CompiledRule], context: PolicyContext
) -> Iterator[PolicyFault]:
    """The faults of the updated object that the stored object does not have. `before`: the stored object's faults."""
    old = context.old or {}
    left = Counter(_identity(fault, old) for fault in before)
    changed = {_OWN + rule.name for rule in rules if _has_changed(rule, context.body, old)}
    for fault in faults:
        identity = _identity(fault, context.body)
        if left[identity] and fault.rule not in changed:
            left[identity] -= 1
        else:
            yield fault


def _identity(fault: PolicyFault, body: Body) -> tuple[str, ...]:
    """Equal for the same fault of both objects, also if the position of a named task, step or container has changed.

    A rule in CEL has one fault, whose computed message may read more than the rule does.
    """
    if fault.rule.startswith(_OWN):
        return (fault.rule,)
    return fault.rule, _named(fault.path, body), fault.message, repr(fault.value)


def _named(path: str, body: Body) -> str:
    """`path` with the names of list elements instead of their positions."""
    parts: list[str] = []
    at: Any = body
    for match in _STEP.finditer(path):
        field, index = match[1], match[2]
        if field is not None or not index.isdecimal():
            key = field if field is not None else index
            parts.append(key)
            at = at.get(key) if isinstance(at, dict) else None
            continue
        at = at[int(index)] if isinstance(at, list) and int(index) < len(at) else None
        name = mapping(at).get("name")
        parts.append(f"[{name}]" if isinstance(name, str) and name else f"[{index}]")
    return ".".join(parts)


def _has_changed(rule: CompiledRule, new: Body, old: Body) -> bool:
    """Whether the update changes something that the rule reads.

    A rule about the request is about everything that its user changes. A rule that reads no field is about the spec.
    """
    if rule.reads_request:
        return _by_users(new) != _by_users(old)
    return any(_at(new, path) != _at(old, path) for path in rule.paths or (("spec",),))


def _at(body: Body, path: tuple[str, ...]) -> Any:
    if not path:
        return _by_users(body)
    at: Any = {**body, "metadata": _metadata(body)}
    for name in path:
        at = at.get(name, _ABSENT) if isinstance(at, Mapping) else _ABSENT
    return at


def _by_users(body: Body) -> Body:
    """What users set: everything but the status and the metadata of the API server and of controllers."""
    rest = {key: value for key, value in body.items() if key != "status"}
    return {**rest, "metadata": {key: value for key, value in _metadata(body).items() if key not in _OF_CONTROLLERS}}


def _metadata(body: Body) -> Body:
    metadata = mapping(body.get("metadata"))
    return {key: value for key, value in metadata.items() if key not in _OF_SERVER}


def stored_context(context: PolicyContext) -> PolicyContext:
    """The context in which the stored object is judged. Quotas are judged of the update only."""
    return dataclasses.replace(context, body=context.old or {}, old=None, census=None)
