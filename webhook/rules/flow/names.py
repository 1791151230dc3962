"""Names of steps, params and outputs, and of the Jobs and pods that a flow creates (docs/design/jobflow-api.md, 1, 2, 6)."""

from collections.abc import Iterable, Iterator
from typing import Final

from shared import naming
from shared.model.step import Loop
from shared.names import DEFAULT_MAX_ITERATIONS, MAX_NAME
from shared.plugins.rules import required_plugins, service_fault
from shared.violation import Reason, Violation
from webhook.hints.names import are_labels, identifier_fault, label_fault, subdomain_fault
from webhook.subject.subjects import FlowSubject

_SUFFIX: Final = 12  # longest addition of a Job's name to the names of flow and step: -, -INDEX, -rN


def step_names_are_labels(flow: FlowSubject) -> Iterator[Violation]:
    if are_labels(flow.step_names):
        return
    for path, step in flow.steps:
        if not step.name:
            yield Violation(f"{path}.name", "every step needs a name", reason=Reason.REQUIRED)
        elif fault := label_fault(step.name):
            yield Violation(f"{path}.name", fault, step.name)


def step_names_are_unique(flow: FlowSubject) -> Iterator[Violation]:
    if len(set(flow.step_names)) == len(flow.step_names):
        return
    yield from _unique(((f"{path}.name", step.name) for path, step in flow.steps), "another step has this name")


def template_names_are_names(flow: FlowSubject) -> Iterator[Violation]:
    if not any(step.template for step in flow.bare_steps):
        return
    for path, step in flow.steps:
        if step.template and (fault := subdomain_fault(step.template)):
            yield Violation(f"{path}.template", fault, step.template)


def params_are_identifiers(flow: FlowSubject) -> Iterator[Violation]:
    paths = [(f"spec.params[{index}].name", param.name) for index, param in enumerate(flow.spec.params)]
    yield from _identifiers(paths)
    yield from _unique(paths, "another param has this name")


def outputs_are_identifiers(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        paths = [(f"{path}.outputs[{index}].name", output.name) for index, output in enumerate(step.outputs)]
        yield from _identifiers(paths)
        yield from _unique(paths, "another output of this step has this name")


def job_names_fit(flow: FlowSubject) -> Iterator[Violation]:
    """Checked with a three-digit attempt number, since a flow can be retried by command at any time."""
    room = MAX_NAME - len(flow.name) - _SUFFIX
    if flow.of_a_flow or max(map(len, flow.step_names), default=0) <= room:
        return
    for path, step in flow.steps:
        if not (step.makes_jobs or step.resource is not None) or len(step.name) <= room:
            continue
        longest = naming.longest_job_name(flow.name, step.name, _iterations(step.for_))
        if len(longest) > MAX_NAME:
            message = f"its Jobs may be named {longest}: must be no more than {MAX_NAME} characters; shorten the step's or the flow's name"
            yield Violation(f"{path}.name", message, step.name)


def pod_names_fit(flow: FlowSubject) -> Iterator[Violation]:
    """Checked for templates that exist; the Job's own rules check it again."""
    for path, step in () if flow.of_a_flow or not flow.templates else flow.steps:
        template = flow.templates.get(step.template_name) if step.makes_jobs else None
        if (
            template is None
            or len(job := naming.longest_job_name(flow.name, step.name, _iterations(step.for_))) > MAX_NAME
        ):
            continue
        pods = [
            naming.whole_pod_name(job, task.name, max(task.replicas - 1, 0))
            for task in template.tasks or ()
            if task.name
        ]
        longest = max(pods, key=len, default="")
        if len(longest) > MAX_NAME:
            message = f"its pods may be named {longest}: must be no more than {MAX_NAME} characters; shorten the flow's, the step's or the task's name"
            yield Violation(f"{path}.name", message, step.name)


def services_can_bear_the_name(flow: FlowSubject) -> Iterator[Violation]:
    """Checked for templates that exist, and steps without a jsonPatch, which could remove the plugin."""
    for path, step in flow.steps if flow.templates else ():
        template = flow.templates.get(step.template_name) if step.makes_jobs else None
        if template is None or (step.patch is not None and step.patch.json_patch):
            continue
        plugins = template.plugins or {}
        job = naming.longest_job_name(flow.name, step.name, None)
        if "svc" in (*plugins, *required_plugins(plugins)) and (fault := service_fault(job)):
            message = f'JobTemplate "{step.template_name}" of {path} cannot be used by a flow of this name: {fault}'
            yield Violation("metadata.name", message, flow.name)
            return


def job_names_cannot_collide(flow: FlowSubject) -> Iterator[Violation]:
    if not any("-" in name for name in flow.step_names):
        return
    paths = {step.name: path for path, step in flow.steps}
    makers = [(step.name, step.for_ is not None) for _, step in flow.steps if step.makes_children]
    for step, other, name in naming.collisions(makers):
        message = f'step "{step}" may create a Job with the same name {flow.name}-{name}; rename one of them'
        yield Violation(f"{paths[other]}.name", message, other)


def _iterations(loop: Loop | None) -> int | None:
    """The maximum number of iterations; None without a loop."""
    return None if loop is None else loop.max_iterations or DEFAULT_MAX_ITERATIONS


def _identifiers(paths: Iterable[tuple[str, str]]) -> Iterator[Violation]:
    for path, name in paths:
        if fault := identifier_fault(name):
            yield Violation(path, fault, name)


def _unique(paths: Iterable[tuple[str, str]], message: str) -> Iterator[Violation]:
    seen: set[str] = set()
    for path, name in paths:
        if name and name in seen:
            yield Violation(path, message, name, Reason.DUPLICATE)
        seen.add(name)
