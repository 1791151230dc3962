"""JobFlowTemplates: which values their declared params allow, and the flow that they give with such values. Pure.

Patterns are RE2 patterns, evaluated by the CEL library, so that no pattern can take exponential time.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from shared.expressions import EvalError, Program, ResultType, compile_expression, evaluate, flow_scope
from shared.model.schedules.flow_template import TemplateParam
from shared.model.types import Body

_PATTERN, _VALUE = "pattern", "value"
_MATCHES: Final = f"params.{_VALUE}.matches(params.{_PATTERN})"
_LISTED: Final = 10


@lru_cache(maxsize=1)
def _program() -> Program:
    program = compile_expression(_MATCHES, flow_scope((), (), params=(_VALUE, _PATTERN)), ResultType.BOOL)
    assert isinstance(program, Program), "the expression is constant"
    return program


def pattern_fault(pattern: str) -> str:
    """Why `pattern` is no RE2 pattern, or ''."""
    found = evaluate(_program(), {"params": {_VALUE: "", _PATTERN: pattern}})
    return str(found) if isinstance(found, EvalError) else ""


def value_fault(declared: TemplateParam, value: str) -> str:
    """Why `value` is not allowed for the declared param, or ''."""
    if declared.enum and value not in declared.enum:
        return f"must be one of {', '.join(declared.enum[:_LISTED])}"
    if declared.pattern:
        found = evaluate(_program(), {"params": {_VALUE: value, _PATTERN: rf"\A(?:{declared.pattern})\z"}})
        if found is not True:
            return f"must match the pattern {declared.pattern}"
    return ""


def param_faults(declared: Sequence[TemplateParam], given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """(name, fault) of every given param that is not declared or not allowed, and of every missing one."""
    known = {param.name: param for param in declared}
    values = dict(given)
    faults = [
        (name, value_fault(known[name], value) if name in known else f"is not a param of the template; {_names(known)}")
        for name, value in given
    ]
    faults += [
        (param.name, "is required by the template")
        for param in declared
        if param.required and param.default is None and param.name not in values
    ]
    return [(name, fault) for name, fault in faults if fault]


def _names(known: dict[str, TemplateParam]) -> str:
    return f"it has {', '.join(list(known)[:_LISTED])}" if known else "it has no params"


class MissingParam(ValueError):
    """A param that the template requires has no value."""


def templated_spec(template: Body, given: Sequence[Body]) -> Body:
    """The spec of a JobFlow: the template's flow with its params and outputs. `given`: params as `{name, value}`.

    Raises MissingParam.
    """
    spec = template["spec"]
    flow = dict(spec.get("flow") or {})
    params = merged_params(flow.get("params") or (), spec.get("params") or (), given)
    outputs = {str(one["name"]): one for one in (*(flow.get("outputs") or ()), *(spec.get("outputs") or ()))}
    return flow | ({"params": params} if params else {}) | ({"outputs": list(outputs.values())} if outputs else {})


def merged_params(flow: Sequence[Body], declared: Sequence[Body], given: Sequence[Body]) -> list[Body]:
    """The params of the flow: its own, the defaults of the template's declared params, then those given.

    Raises MissingParam if a declared param is required and has neither a value nor a default.
    """
    values = {str(param["name"]): str(param.get("value", "")) for param in flow}
    values |= {str(param["name"]): str(param["default"]) for param in declared if param.get("default") is not None}
    values |= {str(param["name"]): str(param.get("value", "")) for param in given}
    missing = [str(param["name"]) for param in declared if param.get("required") and param["name"] not in values]
    if missing:
        raise MissingParam(f"params without a value: {', '.join(missing)}")
    return [{"name": name, "value": value} for name, value in values.items()]
