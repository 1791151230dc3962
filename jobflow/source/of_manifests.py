"""The program that makes the objects of a file again. Pure."""

import keyword
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from jobflow.source.of_jobs import job_options
from jobflow.source.of_steps import methods, order_of, outputs_value, retry_call, switch_call
from jobflow.source.script import Assign, Call, Name, SourceScript, Statement, Value, WithBlock
from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE
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
_TAKEN: Final = frozenset(
    (*keyword.kwlist, "Flow", "Job", "JobTemplate", "Manifest", "Output", "Switch", "Task", "Template", "to_yaml", "range",
     "print", "flow")
)  # fmt: skip


def program_of(bodies: Sequence[Body]) -> SourceScript:
    """Raises KeyError, TypeError or ValueError for objects that break their schema."""
    return _Writer(bodies).program()


class _Writer:
    """`_templates`: JobTemplates by name; `_owned`: those that one step of one flow uses."""

    def __init__(self, bodies: Sequence[Body]) -> None:
        self._bodies = bodies
        self._templates = {_name(each): each for each in bodies if _is(each, JOBTEMPLATE.kind)}
        flows = [each for each in bodies if _is(each, JOBFLOW.kind)]
        self._uses = Counter(_template_of(step) for flow in flows for step in _steps(flow) if _makes_jobs(step))
        self._taken: set[str] = set(_TAKEN)
        self._shared: dict[str, Name] = {}
        self._statements: list[Statement] = []
        self._objects: list[str] = []
        self._single = len(flows) == 1

    def program(self) -> SourceScript:
        for body in self._bodies:
            if _is(body, JOBTEMPLATE.kind) and not self._is_owned(_name(body)):
                self._share(body)
        for body in self._bodies:
            if _is(body, JOBFLOW.kind):
                self._flow(body)
            elif not _is(body, JOBTEMPLATE.kind):
                self._other(body)
        return SourceScript(tuple(self._statements), tuple(self._objects))

    def _is_owned(self, template: str) -> bool:
        """Whether the JobTemplate is written as the Job of its only step."""
        body = self._templates.get(template)
        if body is None or self._uses[template] != 1:
            return False
        return set(body) <= {"apiVersion", "kind", "metadata", "spec"} and set(body["metadata"]) == {"name"}

    def _share(self, body: Body) -> None:
        name = self._variable(_name(body))
        self._shared[_name(body)] = name
        self._statements.append(Assign(name.text, _blueprint(body)))
        self._objects.append(name.text)

    def _other(self, body: Body) -> None:
        name = self._variable(_name(body) or body["kind"])
        if _is(body, JOB.kind) and set(body) <= {"apiVersion", "kind", "metadata", "spec"}:
            call = _blueprint(body)
            self._statements.append(
                Assign(name.text, Call(call.function, call.arguments, call.options, (Call("job"),)))
            )
        else:
            self._statements.append(Assign(name.text, Call("Manifest", (body,))))
        self._objects.append(name.text)

    def _flow(self, body: Body) -> None:
        spec, metadata = body.get("spec") or {}, body["metadata"]
        variable = Name("flow") if self._single else self._variable(_name(body))
        options: dict[str, Value] = {_FLOW[field]: value for field, value in spec.items() if field in _FLOW}
        if spec.get("params"):
            options = {"params": {each["name"]: each.get("value", "") for each in spec["params"]}, **options}
        rest = {
            field: value
            for field, value in spec.items()
            if field not in (*_FLOW, "params", "flows", "finally", "retry")
        }
        if rest:
            options["extra"] = rest
        if "name" not in metadata:
            options["generate_name"] = True
        for field in ("namespace", "labels", "annotations"):
            if metadata.get(field):
                options[field] = metadata[field]
        inner = [*self._steps(body)]
        if "retry" in spec:
            inner.append(retry_call(f"{variable.text}.retry", spec["retry"]))
        self._statements.append(WithBlock(variable.text, Call("Flow", (_name(body),), options), tuple(inner)))
        self._objects.append(variable.text)

    def _steps(self, flow: Body) -> Iterator[Statement]:
        spec = flow.get("spec") or {}
        variables: dict[str, Name] = {}
        before = set(self._taken)
        for final, steps in ((False, spec.get("flows") or ()), (True, spec.get("finally") or ())):
            for step in steps:
                call = self._step(step, flow, variables, final)
                variables[step["name"]] = self._variable(step["name"])
                yield Assign(variables[step["name"]].text, call)
        for step in _steps(flow):
            order = order_of(step, variables[step["name"]], variables)
            if order is not None:
                yield order
        if not self._single:
            self._taken = before

    def _step(self, step: Body, flow: Body, variables: Mapping[str, Name], final: bool) -> Call:
        if "switch" in step:
            return switch_call(step, variables)
        template = _template_of(step)
        outputs = outputs_value(step)
        options: dict[str, Value] = {} if outputs is None else {"outputs": outputs}
        chain = tuple(methods(step, final=final))
        if self._is_owned(template) and _makes_jobs(step):
            if template != f"{_name(flow)}-{step['name']}":
                options["template_name"] = template
            return Call("Job", (step["name"],), job_options(self._templates[template]["spec"]) | options, chain)
        arguments: tuple[Value, ...] = (step["name"],)
        if template in self._shared and _makes_jobs(step):
            arguments = (step["name"], self._shared[template])
        elif template != step["name"]:
            arguments = (step["name"], template)
        return Call("Template", arguments, options, chain)

    def _variable(self, name: str) -> Name:
        """A name that Python takes and that is free."""
        plain = re.sub(r"\W", "_", name.lower())
        plain = plain if plain[:1].isalpha() or plain.startswith("_") else f"_{plain}"
        number, free = 1, plain
        while free in self._taken:
            number += 1
            free = f"{plain}_{number}"
        self._taken.add(free)
        return Name(free)


def _blueprint(body: Body) -> Call:
    metadata = {key: value for key, value in body["metadata"].items() if key not in ("name", "namespace") and value}
    options = job_options(body.get("spec") or {})
    if body["metadata"].get("namespace"):
        options["namespace"] = body["metadata"]["namespace"]
    if metadata:
        options["metadata"] = metadata
    return Call("JobTemplate", (_name(body),), options)


def _steps(flow: Body) -> list[Body]:
    spec = flow.get("spec") or {}
    return [*(spec.get("flows") or ()), *(spec.get("finally") or ())]


def _makes_jobs(step: Body) -> bool:
    """Whether it creates Jobs from a JobTemplate, as `Step.makes_jobs` of the model."""
    return not any(step.get(field) is not None for field in ("switch", "approve", "flow"))


def _template_of(step: Body) -> str:
    return str(step.get("template") or step["name"])


def _name(body: Body) -> str:
    metadata = body.get("metadata") or {}
    return str(metadata.get("name") or str(metadata.get("generateName") or "").removesuffix("-"))


def _is(body: Body, kind: str) -> bool:
    """Of this kind of ours: Kubernetes has a Job too."""
    return body.get("kind") == kind and "volcano.sh/" in str(body.get("apiVersion"))
