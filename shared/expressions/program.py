"""A compiled expression and what is known of it, without the CEL library: flows without expressions never load that."""

from enum import StrEnum
from typing import Any

import msgspec

from shared.expressions.cost.value_sizes import InputLimits
from shared.expressions.known_values import KnownValues
from shared.expressions.problem import Problem
from shared.expressions.scope import ScopeKind

FieldPath = tuple[str, ...]
"""The variable, then the names of fields: ("object", "spec", "queue"). It ends where a name is not literal."""


class ResultType(StrEnum):
    """The result that a field requires of its expression. The value is its name in messages."""

    BOOL = "bool"
    LIST = "list"
    STRING = "string"
    STRING_INT_BOOL = "string, int or bool"
    VALUE = "JSON value"


class Program(msgspec.Struct, frozen=True):
    """A compiled expression, for evaluate(). `limits`: the inputs for which its cost is bounded.

    `fields`: the fields that it reads. `doubts`: literals in it that can never match; `values`:
    those that its result can have, if they are known.
    """

    text: str
    kind: ScopeKind
    result: ResultType
    expression: Any
    steps: frozenset[str]
    params: frozenset[str]
    whole_params: bool
    limits: tuple[InputLimits, ...]
    static_type: str
    fields: frozenset[FieldPath] = frozenset()
    doubts: tuple[Problem, ...] = ()
    values: KnownValues | None = None


class EvalError(msgspec.Struct, frozen=True):
    """Why an expression has no value. Shown in a step's message (reason InvalidExpression) or as a violation."""

    message: str

    def __str__(self) -> str:
        return self.message


def references_of(program: Program) -> frozenset[str]:
    """The names of the steps that it reads, which evaluate() must be given."""
    return program.steps


def params_used(program: Program, declared: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of the params that it reads; all `declared` ones if it computes a name at run time."""
    return program.params | declared if program.whole_params else program.params
