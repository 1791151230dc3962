"""Executes a program. Only the public names of this package can be called."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from jobflow.flow_builder import FlowBuilder
from jobflow.jobs.task import TaskSetup
from jobflow.manifests.raw import raw_manifest
from jobflow.source.script import Assign, Call, Name, Order, Pairs, SourceScript, Statement, Value, WithBlock
from jobflow.steps.kinds import ApproveStep, JobBlueprint, JobStep, SubFlowStep, SwitchStep, TemplateStep
from jobflow.steps.resource import ResourceStep
from shared.model.step import Output

_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "Approve": ApproveStep,
    "Job": JobStep,
    "JobTemplate": JobBlueprint,
    "Manifest": raw_manifest,
    "Output": Output,
    "SubFlow": SubFlowStep,
    "Resource": ResourceStep,
    "Switch": SwitchStep,
    "Task": TaskSetup,
    "Template": TemplateStep,
    "range": range,
}


def execute(program: SourceScript, flow: type[FlowBuilder]) -> list[Any]:
    """The objects of the program, in order. `flow`: what `Flow` names in it."""
    names: dict[str, Any] = {"Flow": flow}
    for statement in program.statements:
        _run(statement, names)
    return [names[name] for name in program.objects]


def _run(statement: Statement, names: dict[str, Any]) -> None:
    if isinstance(statement, WithBlock):
        with _value(statement.call, names) as flow:
            names[statement.variable] = flow
            for each in statement.body:
                _run(each, names)
    elif isinstance(statement, Assign):
        names[statement.variable] = _value(statement.call, names)
    elif isinstance(statement, Order):
        target = names[statement.target.text]
        [names[each.text] for each in statement.sources] >> target
    else:
        _value(statement, names)


def _value(value: Value, names: dict[str, Any]) -> Any:
    if isinstance(value, Name):
        return names[value.text]
    if isinstance(value, Call):
        return _call(value, names)
    if isinstance(value, Pairs):
        return {_value(key, names): _value(each, names) for key, each in value.entries}
    if isinstance(value, dict):
        return {key: _value(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_value(each, names) for each in value]
    return tuple(_value(each, names) for each in value) if isinstance(value, tuple) else value


def _call(call: Call, names: dict[str, Any]) -> Any:
    variable, dot, method = call.function.rpartition(".")
    function = getattr(names[variable], method) if dot else names.get(call.function) or _FUNCTIONS[call.function]
    result = function(*_arguments(call, names), **_options(call, names))
    for each in call.methods:
        result = getattr(result, each.function)(*_arguments(each, names), **_options(each, names))
    return result


def _arguments(call: Call, names: dict[str, Any]) -> list[Any]:
    return [_value(each, names) for each in call.arguments]


def _options(call: Call, names: dict[str, Any]) -> dict[str, Any]:
    return {key: _value(each, names) for key, each in call.options.items()}
