"""Rules of `patch`: JSON patch operations (RFC 6902) and the JobSpec fragment (docs/design/jobflow-api.md, sections 2 and 6)."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from shared import kinds
from shared.crd.unknown import schema_at, unknown_fields
from shared.model.step import JsonPatch, JsonPatchOp
from shared.plugins.arguments import ARGUMENTS
from shared.podtemplate.unknown import unknown_pod_fields
from shared.violation import Reason, Violation
from webhook.hints.names import did_you_mean, supported_values, unknown_field_hint
from webhook.subject.subjects import FlowSubject

_LISTED: Final = 20  # maximum number of unknown fields in the warnings of one object
_WITH_VALUE: Final = frozenset({JsonPatchOp.ADD, JsonPatchOp.REPLACE, JsonPatchOp.TEST})
_WRITES: Final = frozenset({JsonPatchOp.ADD, JsonPatchOp.REPLACE, JsonPatchOp.MOVE, JsonPatchOp.COPY})
_WITH_FROM: Final = frozenset({JsonPatchOp.MOVE, JsonPatchOp.COPY})


def operations_have_a_value(flow: FlowSubject) -> Iterator[Violation]:
    for path, operation in _operations(flow):
        given = [
            name
            for name, there in (
                ("value", operation.value is not msgspec.UNSET),
                ("expression", operation.expression is not None),
            )
            if there
        ]
        if operation.op in _WITH_VALUE and not given:
            message = f"op {operation.op} needs value or expression"
            yield Violation(f"{path}.value", message, reason=Reason.REQUIRED)
        elif operation.op in _WITH_VALUE and len(given) == 2:
            message = "may not be set together with value: the expression's result is the value"
            yield Violation(f"{path}.expression", message, reason=Reason.FORBIDDEN)
        elif operation.op not in _WITH_VALUE:
            for name in given:
                yield Violation(f"{path}.{name}", f"not allowed with op {operation.op}", reason=Reason.FORBIDDEN)


def operations_have_a_source(flow: FlowSubject) -> Iterator[Violation]:
    for path, operation in _operations(flow):
        if operation.op in _WITH_FROM and not operation.from_:
            yield Violation(f"{path}.from", f"op {operation.op} needs from", reason=Reason.REQUIRED)
        elif operation.op not in _WITH_FROM and operation.from_:
            yield Violation(f"{path}.from", f"not allowed with op {operation.op}", reason=Reason.FORBIDDEN)


def operations_point_somewhere(flow: FlowSubject) -> Iterator[Violation]:
    for path, operation in _operations(flow):
        for field, pointer in (("path", operation.path), ("from", operation.from_)):
            if fault := _pointer_fault(pointer):
                yield Violation(f"{path}.{field}", fault, pointer)


def operations_write_known_fields(flow: FlowSubject) -> Iterator[Violation]:
    """The API server would drop unknown fields of the Job without a message."""
    for path, operation in _operations(flow):
        if operation.op not in _WRITES or _pointer_fault(operation.path):
            continue
        found = schema_at(operation.path)
        if isinstance(found, tuple):
            yield Violation(f"{path}.path", _no_field(*found), operation.path)
        elif isinstance(operation.value, dict | list):
            for place, name, known in unknown_fields(operation.value, found, f"{path}.value"):
                if "$(" not in name:
                    yield Violation(place, f"unknown field{did_you_mean(name, known)}", reason=Reason.FORBIDDEN)


def operations_spare_the_whole(flow: FlowSubject) -> Iterator[Violation]:
    """The whole spec may be replaced, but not removed."""
    for path, operation in _operations(flow):
        gone = {JsonPatchOp.REMOVE: operation.path, JsonPatchOp.MOVE: operation.from_ or "/"}.get(operation.op)
        if gone == "":
            yield Violation(f"{path}.path", "the whole JobSpec cannot be removed", operation.path)


def patched_plugins_are_known(flow: FlowSubject) -> Iterator[Violation]:
    for path, job_spec in _fragments(flow):
        plugins = job_spec.get("plugins")
        for name in plugins if isinstance(plugins, dict) else ():
            if name not in ARGUMENTS and "$(" not in name:
                message = (
                    f"unable to find job plugin {name}; {supported_values(name, sorted(ARGUMENTS), 'known plugins')}"
                )
                yield Violation(f"{path}.plugins.{name}", message, name, Reason.NOT_SUPPORTED)


def patched_tasks_have_names(flow: FlowSubject) -> Iterator[Violation]:
    """Tasks are merged by name, so a task without a name cannot be merged."""
    for path, job_spec in _fragments(flow):
        tasks = job_spec.get("tasks")
        for index, task in enumerate(tasks if isinstance(tasks, list) else ()):
            if isinstance(task, dict) and not task.get("name"):
                message = "tasks of a patch are merged by name: name the task"
                yield Violation(f"{path}.tasks[{index}].name", message, reason=Reason.REQUIRED)


def patches_of_unknown_tasks(flow: FlowSubject) -> Iterator[str]:
    """Warn about new tasks without a pod template. The JobTemplate may still change, so it is not a violation."""
    for path, step in flow.special:
        template = flow.templates.get(step.template_name)
        tasks = (step.patch.job_spec or {}).get("tasks") if step.patch else None
        if template is None or not isinstance(tasks, list):
            continue
        known = {task.name for task in template.tasks or ()}
        for index, task in enumerate(tasks):
            name = task.get("name") if isinstance(task, dict) else None
            if isinstance(name, str) and name and name not in known and "$(" not in name and "template" not in task:
                yield f'{path}.patch.jobSpec.tasks[{index}]: the JobTemplate has no task "{name}", and no pod template is given'


def patched_fields_that_no_pod_has(flow: FlowSubject) -> Iterator[str]:
    """Warn about misspelt fields in patched pod templates, which would be dropped when pods are created."""
    found = list(islice(unknown_pod_fields(kinds.JOBFLOW, flow.raw), _LISTED + 1))
    for unknown in found[:_LISTED]:
        yield f"{unknown.path}: {unknown_field_hint(unknown.name, unknown.known)}"
    if len(found) > _LISTED:
        yield f"spec.flows: more than {_LISTED} unknown fields in pod templates"


def _operations(flow: FlowSubject) -> Iterator[tuple[str, JsonPatch]]:
    for path, step in flow.special:
        for index, operation in enumerate(step.patch.json_patch if step.patch else ()):
            yield f"{path}.patch.jsonPatch[{index}]", operation


def _fragments(flow: FlowSubject) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, step in flow.special:
        if step.patch is not None and step.patch.job_spec is not None:
            yield f"{path}.patch.jobSpec", step.patch.job_spec


def _no_field(place: str, name: str, known: tuple[str, ...]) -> str:
    hint = did_you_mean(name, known) or f"; known there: {', '.join(sorted(known))}"
    return f"a Job has no field {place}{hint}"


def _pointer_fault(pointer: str) -> str | None:
    if pointer and not pointer.startswith("/"):
        return "must be a JSON pointer: '' for the whole JobSpec, else it begins with '/', e.g. /tasks/0/replicas"
    if any(part[:1] not in ("0", "1") for part in pointer.split("~")[1:]):
        return "'~' must be written ~0 and '/' within a name ~1 (RFC 6901)"
    return None
