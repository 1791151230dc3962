"""Flows within flows: the JobFlowTemplates that a flow runs, the depth of nesting, and cycles."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from shared.model.flow import JobFlowSpec
from shared.model.step import Step, SubFlow

MAX_LEVELS: Final = 5
"""Levels of flows, the outermost one included."""

Templates = Callable[[str], JobFlowSpec | None]
"""The flow of the JobFlowTemplate of a name; None if there is none, or none that can be read."""


class NestingFault(msgspec.Struct, frozen=True):
    """A step whose flow may not run. `path`: path of the step in the spec, such as `flows[2]`."""

    path: str
    message: str


def inline_spec(flow: SubFlow | None) -> JobFlowSpec | None:
    """The flow that a step writes out; None if it writes out none, or none that can be read."""
    try:
        return None if flow is None or flow.spec is None else msgspec.convert(flow.spec, JobFlowSpec)
    except (msgspec.ValidationError, RecursionError):
        return None


def nesting_faults(spec: JobFlowSpec, templates: Templates, name: str = "") -> Iterator[NestingFault]:
    """Every step of `spec` whose flow is nested too deeply or runs itself. `name`: the JobFlowTemplate of this flow.
    Missing templates are skipped.
    """
    walk = _Walk(templates, name)
    for path, step in steps_with_paths(spec):
        if step.flow is None:
            continue
        message = walk.fault(step.flow)
        if message:
            yield NestingFault(path, message)


def steps_with_paths(spec: JobFlowSpec) -> Iterator[tuple[str, Step]]:
    """(path below the spec, step) of every step."""
    yield from ((f"flows[{index}]", step) for index, step in enumerate(spec.flows))
    yield from ((f"finally[{index}]", step) for index, step in enumerate(spec.finally_))


class CycleError(Exception):
    """JobFlowTemplates run each other in a cycle. `path`: their names, the first one again at the end."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(" -> ".join(path))
        self.path = path


class _Walk:
    """Looks at each template once."""

    def __init__(self, templates: Templates, name: str) -> None:
        self._templates = templates
        self._path: list[str] = [name] if name else []
        self._levels: dict[str, int] = {}

    def fault(self, flow: SubFlow) -> str:
        try:
            levels = 1 + self._of(flow)
        except CycleError as cycle:
            return f"JobFlowTemplates run each other in a cycle: {cycle}"
        if levels > MAX_LEVELS:
            return f"{levels} levels of flows within flows: at most {MAX_LEVELS} are allowed"
        return ""

    def _of(self, flow: SubFlow, inline: int = 0) -> int:
        """Levels of the flow that a step runs. `inline`: flows written out around it, which bounds the walk."""
        if flow.template:
            return self._of_template(flow.template, inline)
        spec = inline_spec(flow)
        return 1 if spec is None or inline > MAX_LEVELS else self._below(spec, inline + 1)

    def _of_template(self, name: str, inline: int) -> int:
        if name in self._path:
            raise CycleError((*self._path[self._path.index(name) :], name))
        if name not in self._levels:
            spec = self._templates(name)
            if spec is None or len(self._path) > 10 * MAX_LEVELS:
                return 1
            self._path.append(name)
            try:
                self._levels[name] = self._below(spec, inline)
            finally:
                self._path.pop()
        return self._levels[name]

    def _below(self, spec: JobFlowSpec, inline: int) -> int:
        return 1 + max((self._of(step.flow, inline) for _, step in steps_with_paths(spec) if step.flow), default=0)


def known_outputs(step: Step) -> tuple[str, ...]:
    """The outputs of a step that others may read: those it declares, and those of the flow that it writes out."""
    declared = tuple(output.name for output in step.outputs)
    spec = inline_spec(step.flow)
    return tuple(dict.fromkeys((*declared, *(one.name for one in spec.outputs)))) if spec is not None else declared


def read_spec(body: Any) -> JobFlowSpec | None:
    """The flow of a raw JobFlowTemplate; None if it cannot be read."""
    try:
        return msgspec.convert(body["spec"]["flow"], JobFlowSpec)
    except (msgspec.ValidationError, RecursionError, KeyError, TypeError):
        return None
