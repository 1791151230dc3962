"""A flow as a `with` block: its arguments, its steps, their order. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from jobflow.source.job_templates import JobTemplates
from jobflow.source.of_jobs import job_options
from jobflow.source.of_steps import (
    approve_call,
    methods,
    order_of,
    outputs_value,
    resource_call,
    retry_call,
    sub_flow_call,
    switch_call,
)
from jobflow.source.script import Assign, Call, Name, Statement, Value, WithBlock
from jobflow.source.variables import Variables
from shared.graphs.nesting import MAX_LEVELS
from shared.model.step import makes_jobs
from shared.model.types import Body

_FLOW: Final = {
    "jobRetainPolicy": "retain",
    "parallelism": "parallelism",
    "suspend": "suspend",
    "activeDeadlineSeconds": "deadline",
    "finallyDeadlineSeconds": "finally_deadline",
    "ttlSecondsAfterFinished": "ttl",
    "failureStrategy": "failure",
}
_STEPS: Final = ("flows", "finally")


class FlowWriter:
    """Writes flows whose JobTemplates are `templates`, in a module with these `variables`."""

    def __init__(self, templates: JobTemplates, variables: Variables) -> None:
        self._templates = templates
        self._variables = variables

    def block(self, variable: Name, name: str, spec: Body, metadata: Mapping[str, Value], level: int = 1) -> WithBlock:
        """`metadata`: further arguments. `level`: of flows within flows."""
        options: dict[str, Value] = {_FLOW[field]: value for field, value in spec.items() if field in _FLOW}
        said = {"retry", *_STEPS, *_FLOW}
        params = _params(spec.get("params"), outermost=level == 1)
        if params is not None:
            options, said = {"params": params, **options}, said | {"params"}
        outputs = spec.get("outputs")
        if isinstance(outputs, list) and all(set(each) == {"name", "expression"} for each in outputs):
            said.add("outputs")
        else:
            outputs = []
        rest = {field: value for field, value in spec.items() if field not in said}
        if rest:
            options["extra"] = rest
        body = [*self._steps(name, spec, level)]
        if "retry" in spec:
            body.append(retry_call(f"{variable.text}.retry", spec["retry"]))
        body += [Call(f"{variable.text}.output", (each["name"], each["expression"])) for each in outputs]
        return WithBlock(variable.text, Call("Flow", (name,), {**options, **metadata}), tuple(body))

    def _steps(self, flow: str, spec: Body, level: int) -> Iterator[Statement]:
        variables: dict[str, Name] = {}
        steps = [(step, listed == "finally") for listed in _STEPS for step in spec.get(listed) or ()]
        for step, final in steps:
            inner = self._inner(flow, step, level)
            if inner is not None:
                yield inner
            call = self._step(step, flow, variables, inner)
            if final:
                call = Call(call.function, call.arguments, call.options, (*call.methods, Call("finally_")))
            variables[step["name"]] = self._variables.new(step["name"])
            yield Assign(variables[step["name"]].text, call)
        for step, _ in steps:
            order = order_of(step, variables[step["name"]], variables)
            if order is not None:
                yield order

    def _inner(self, flow: str, step: Body, level: int) -> WithBlock | None:
        """The flow that the step writes out; None if it writes out none that Flow can make."""
        runs = step.get("flow")
        spec = runs.get("spec") if isinstance(runs, dict) and not runs.get("template") else None
        if not isinstance(spec, dict) or not isinstance(spec.get("flows"), list) or level >= MAX_LEVELS:
            return None
        variable = self._variables.new(f"{step['name']}_flow")
        with self._variables.block():
            return self.block(variable, f"{flow}-{step['name']}", spec, {}, level + 1)

    def _step(self, step: Body, flow: str, variables: Mapping[str, Name], inner: WithBlock | None) -> Call:
        if "switch" in step:
            return switch_call(step, variables)
        other = (
            approve_call(step) or resource_call(step) or sub_flow_call(step, Name(inner.variable) if inner else None)
        )
        if other is not None:
            return other
        template = self._templates.used_by(step)
        outputs = outputs_value(step)
        options: dict[str, Value] = {} if outputs is None else {"outputs": outputs}
        chain = tuple(methods(step))
        if self._templates.owned(template) and makes_jobs(step):
            if template != f"{flow}-{step['name']}":
                options["template_name"] = template
            return Call("Job", (step["name"],), job_options(self._templates.spec(template)) | options, chain)
        arguments: tuple[Value, ...] = (step["name"],)
        if template in self._templates.shared and makes_jobs(step):
            arguments = (step["name"], self._templates.shared[template])
        elif template != step["name"]:
            arguments = (step["name"], template)
        return Call("Template", arguments, options, chain)


def _params(given: object, *, outermost: bool) -> Value:
    """As an argument; None where that would say something else, as of params of a flow below that have no value."""
    if not isinstance(given, list):
        return None
    complete = all(set(each) == {"name", "value"} for each in given)
    if not complete and not (outermost and all(set(each) <= {"name", "value"} for each in given)):
        return None
    found: dict[str, Value] = {each["name"]: each.get("value", "") for each in given}
    return found if len(found) == len(given) and found else None
