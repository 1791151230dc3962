"""`required`: labels, resources and templates that must be set. Patches are incomplete, so the finished Job is judged."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.model.policy import Required
from shared.model.step import NO_JOB_FIELDS
from shared.podtemplate.field import Field
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.context import JobPart, PolicyContext
from shared.policy.fault import PolicyFault
from shared.policy.judging.usage import images
from shared.policy.patterns.globs import Globs
from shared.policy.patterns.images import parse_image
from shared.violation import Reason

EXISTING_TEMPLATES: Final = "required.existingTemplates"


def required_faults(policy: CompiledPolicy, context: PolicyContext) -> Iterator[PolicyFault]:
    """The required fields that are missing."""
    required = policy.spec.required
    if required is None:
        return
    for key in required.labels:
        if not context.labels.get(key):
            yield _missing("labels", f"metadata.labels[{key}]", "this label must be set")
    yield from _label_values(policy.label_values, context)
    for part in context.jobs:
        if not part.partial:
            yield from _amounts(part, required)
        if required.image_digests:
            yield from _digests(context, part)
    if required.existing_templates:
        yield from _templates(context)


def _label_values(wanted: Mapping[str, Globs], context: PolicyContext) -> Iterator[PolicyFault]:
    for key, patterns in wanted.items():
        path, value = f"metadata.labels[{key}]", context.labels.get(key)
        allowed = f"allowed: {', '.join(patterns.texts)}"
        if not value:
            yield _missing("labelValues", path, f"this label must be set; {allowed}")
        elif not isinstance(value, str) or not patterns.fits(value):
            yield PolicyFault("required.labelValues", path, f"not allowed; {allowed}", value)


def _amounts(part: JobPart, required: Required) -> Iterator[PolicyFault]:
    for pod, container in part.containers:
        for name in required.resource_requests:
            if not (_has(container, "requests", name) or _has(pod, "requests", name)):
                path = f"{container.path}.resources.requests[{name}]"
                yield _missing("resourceRequests", path, f"every container must request {name}")
        for name in required.resource_limits:
            if not (_amount(container, "limits", name) or _amount(pod, "limits", name)):
                path = f"{container.path}.resources.limits[{name}]"
                yield _missing("resourceLimits", path, f"every container must limit {name}")


def _digests(context: PolicyContext, part: JobPart) -> Iterator[PolicyFault]:
    for field in images(context, part):
        image = parse_image(field.text) if part.says(field) else None
        if part.says(field) and (image is None or not image.digest):
            message = "must be given by digest: NAME@sha256:..."
            yield PolicyFault("required.imageDigests", field.path, message, field.text)


def _has(holder: Field, side: str, name: str) -> bool:
    """In Kubernetes a limit is also the request if there is no request."""
    return _amount(holder, side, name) or _amount(holder, "limits", name)


def _amount(holder: Field, side: str, name: str) -> bool:
    return holder.get("resources").get(side).key(name).present


def _templates(context: PolicyContext) -> Iterator[PolicyFault]:
    for step, name in templates_of(context):
        if context.template_exists is not None and not context.template_exists(name.text):
            path = name.path if step.get("template").text else f"{step.path}.name"
            message = "no such JobTemplate in this namespace; apply it first"
            yield PolicyFault(EXISTING_TEMPLATES, path, message, name.text, Reason.NOT_FOUND)


def templates_of(context: PolicyContext) -> Iterator[tuple[Field, Field]]:
    """(step, the field that names its JobTemplate) for every step that has one."""
    for step in context.steps:
        name = step.get("template") if step.get("template").text else step.get("name")
        if name.text and not any(step.get(field).present for field in NO_JOB_FIELDS):
            yield step, name


def _missing(rule: str, path: str, message: str) -> PolicyFault:
    return PolicyFault(f"required.{rule}", path, message, reason=Reason.REQUIRED)
