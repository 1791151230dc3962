"""`rules`: CEL expressions over object, oldObject, request and namespaceObject, which must be true."""

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

import msgspec

from shared.expressions import EvalError, Program
from shared.policy.compiled.variables import CompiledVariable, PolicyValues, fields_of
from shared.policy.context import PolicyContext
from shared.policy.fault import PolicyFault
from shared.violation import Reason

# object.spec.flows.all( -> spec.flows; also with optional fields, as in object.?spec.?queue.
_READ: Final = re.compile(r"\bobject((?:\.\??[A-Za-z_]\w*)+)(\s*\()?")
_STRING: Final = re.compile(r"""r?("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')""")
_EVERYTHING: Final = "spec"
_LONGEST_MESSAGE: Final = 5120  # as in Kubernetes


class CompiledRule(msgspec.Struct, frozen=True):
    """`field`: the path of violations; `reads_request`: it reads `request`, which does not exist for stored objects;
    `reads_namespace`: it reads `namespaceObject`, which does not exist in a linter;
    `paths`: the fields of `object` and `oldObject` that it reads.
    """

    name: str
    message: str
    program: Program
    message_program: Program | None
    field: str
    reads_request: bool
    reads_namespace: bool
    paths: tuple[tuple[str, ...], ...]


def compiled_rule(
    name: str,
    message: str,
    program: Program,
    message_program: Program | None = None,
    variables: Iterable[CompiledVariable] = (),
) -> CompiledRule:
    fields = fields_of(program, variables)
    read = {path[0] for path in fields}
    return CompiledRule(
        name,
        message,
        program,
        message_program,
        field=field_of(program.text),
        reads_request="request" in read,
        reads_namespace="namespaceObject" in read,
        paths=tuple(sorted({path[1:] for path in fields if path[0] in ("object", "oldObject")})),
    )


def rule_faults(rules: Iterable[CompiledRule], values: PolicyValues, context: PolicyContext) -> Iterator[PolicyFault]:
    """The rules that are not true. A rule that cannot be evaluated is a fault too."""
    for rule in rules:
        unknown_namespace = context.offline and context.namespace_body is None
        if (context.request is None and rule.reads_request) or (unknown_namespace and rule.reads_namespace):
            continue
        verdict = values.evaluate(rule.program)
        if verdict is True:
            continue
        message = f"could not be evaluated: {verdict}" if isinstance(verdict, EvalError) else _message(rule, values)
        yield PolicyFault(f"rules.{rule.name}", rule.field, message, reason=Reason.FORBIDDEN, about=rule.program.text)


def _message(rule: CompiledRule, values: PolicyValues) -> str:
    """The computed message if there is one of a single line, else the fixed one."""
    computed = values.evaluate(rule.message_program) if rule.message_program is not None else None
    if isinstance(computed, str) and computed.strip() and computed.isprintable() and len(computed) <= _LONGEST_MESSAGE:
        return computed
    return rule.message or f"must hold: {' '.join(rule.program.text.split())}"


def field_of(text: str) -> str:
    """The field for a violation: the common prefix of all fields that the expression reads, or else the first field."""
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
    """`text` without the contents of its string literals."""
    return _STRING.sub('""', text)
