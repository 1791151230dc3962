"""`rules`: CEL over object, oldObject, request and namespaceObject; true is compliant (jobflow-api.md 9)."""

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

import msgspec

from shared.expressions import EvalError, Program, evaluate_rule
from shared.policy.context import PolicyContext
from shared.policy.fault import PolicyFault
from shared.violation import Reason

# object.spec.flows.all( -> spec.flows; in the library's optional form, object.?spec.?queue, too.
_READ: Final = re.compile(r"\bobject((?:\.\??[A-Za-z_]\w*)+)(\s*\()?")
_STRING: Final = re.compile(r"""r?("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')""")
_REQUEST: Final = re.compile(r"(?<![\w.?])request\b")
_NAMESPACE: Final = re.compile(r"(?<![\w.?])namespaceObject\b")
_EVERYTHING: Final = "spec"


class CompiledRule(msgspec.Struct, frozen=True):
    """`field`: what a violation points at; `asks_who`: it reads `request`, which stored objects have not; `asks_where`: it
    reads `namespaceObject`, which a linter has not."""

    name: str
    message: str
    program: Program
    field: str
    asks_who: bool
    asks_where: bool


def compiled_rule(name: str, message: str, program: Program) -> CompiledRule:
    text = _bare(program.text)
    asks_who, asks_where = bool(_REQUEST.search(text)), bool(_NAMESPACE.search(text))
    return CompiledRule(name, message, program, field_of(text), asks_who, asks_where)


def rule_faults(rules: Iterable[CompiledRule], context: PolicyContext) -> Iterator[PolicyFault]:
    """The rules that do not hold; one that cannot be evaluated does not hold."""
    for rule in rules:
        if (context.request is None and rule.asks_who) or (context.offline and rule.asks_where):
            continue
        verdict = evaluate_rule(rule.program, context.variables)
        if verdict is True:
            continue
        message = rule.message or f"must hold: {' '.join(rule.program.text.split())}"
        if isinstance(verdict, EvalError):
            message = f"could not be evaluated: {verdict}"
        yield PolicyFault(f"rules.{rule.name}", rule.field, message, reason=Reason.FORBIDDEN, about=rule.program.text)


def field_of(text: str) -> str:
    """The field of the object that an expression is about: what all that it reads has in common, else what it reads first."""
    read: list[tuple[str, ...]] = []
    for match in _READ.finditer(_bare(text)):
        parts = tuple(part.lstrip("?") for part in match[1].split(".")[1:])
        read.append(parts[:-1] if match[2] else parts)  # before a bracket stands a function's name
    read = [parts for parts in read if parts]
    if not read:
        return _EVERYTHING
    shared = zip(*read, strict=False)  # level by level
    common = [names[0] for names in takewhile(lambda names: len(set(names)) == 1, shared)]
    return ".".join(common or read[0])


def _bare(text: str) -> str:
    """Without the contents of its strings."""
    return _STRING.sub('""', text)
