"""The fields of a form that asks for the params of a flow. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from shared.model.types import Body

PREFIX: Final = "param."


class ParamField(msgspec.Struct, frozen=True):
    """`value`: the initial value; `choices`: the only values, if there are any; `wanted`: without a value
    nothing starts."""

    name: str
    value: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = ""
    description: str = ""
    wanted: bool = False


def fields_of_template(template: Body) -> tuple[ParamField, ...]:
    """The params that a JobFlowTemplate declares, then those that only its flow has."""
    spec = template.get("spec") or {}
    declared = [_declared(param) for param in spec.get("params") or ()]
    names = {field.name for field in declared}
    own = fields_of_values((spec.get("flow") or {}).get("params") or ())
    return (*declared, *(field for field in own if field.name not in names))


def _declared(param: Body) -> ParamField:
    default = param.get("default")
    return ParamField(
        name=str(param.get("name")),
        value="" if default is None else str(default),
        choices=tuple(str(each) for each in param.get("enum") or ()),
        pattern=str(param.get("pattern") or ""),
        description=str(param.get("description") or ""),
        wanted=bool(param.get("required")) and default is None,
    )


def fields_of_values(params: Iterable[Body]) -> tuple[ParamField, ...]:
    """Of `{name, value}`."""
    return tuple(ParamField(str(param.get("name")), str(param.get("value", ""))) for param in params)


def fields_of_schedule(cron: Body, template: Body | None) -> tuple[ParamField, ...]:
    """Those of its flow, with the values that the schedule gives."""
    spec = cron.get("spec") or {}
    inline = (spec.get("jobFlowTemplate") or {}).get("spec") or {}
    fields = fields_of_template(template) if template else fields_of_values(inline.get("params") or ())
    given = {field.name: field for field in fields_of_values(spec.get("params") or ())}
    return tuple(
        # a value of the schedule may have placeholders, which are no choice of the template
        msgspec.structs.replace(field, value=given[field.name].value, choices=(), pattern="")
        if field.name in given
        else field
        for field in fields
    ) + tuple(field for name, field in given.items() if name not in {each.name for each in fields})


def values_of(posted: Iterable[tuple[str, object]], fields: Iterable[ParamField]) -> dict[str, str]:
    """The values of a form, whose names begin with `param.`. A field that was left empty and had no value has none."""
    started = {field.name: field.value for field in fields}
    given = {key.removeprefix(PREFIX): str(value) for key, value in posted if key.startswith(PREFIX)}
    return {name: value for name, value in given.items() if value or started.get(name)}
