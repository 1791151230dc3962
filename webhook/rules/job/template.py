"""Warnings about JobTemplates. Deleting one that is in use is allowed: a refusal would block the deletion of namespaces."""

from collections.abc import Iterator
from typing import Any, Final

from shared import kinds, substitution
from shared.model.phases import FlowPhase
from shared.model.step import job_template_of
from shared.podtemplate import expansion
from shared.substitution import Form
from shared.violation import Violation
from webhook.subject.subjects import JobSubject, body_or_empty

_NAMED: Final = 3
_ENDED: Final = (FlowPhase.SUCCEED, FlowPhase.FAILED, FlowPhase.TERMINATING)


def flows_that_need_the_template(job: JobSubject) -> Iterator[str]:
    users = [name for body in job.lookups.all(kinds.JOBFLOW, job.namespace) if (name := _user(body, job.name))]
    if users:
        named = ", ".join(users[:_NAMED]) + (f" and {len(users) - _NAMED} more" if len(users) > _NAMED else "")
        yield f"unfinished JobFlows use this JobTemplate and will wait for it: {named}"


def _user(body: dict[str, Any], template: str) -> str:
    """The name of a JobFlow that has not ended and uses `template`, else ''."""
    if body_or_empty(body_or_empty(body.get("status")).get("state")).get("phase") in _ENDED:
        return ""
    spec = body_or_empty(body.get("spec"))
    steps = [step for field in ("flows", "finally") for step in spec.get(field) or () if isinstance(step, dict)]
    uses = any(job_template_of(step) == template for step in steps)
    return str(body["metadata"]["name"]) if uses else ""


def placeholders_are_not_inside_references(job: JobSubject) -> Iterator[Violation]:
    for place, text in expansion.open_placeholders(job.raw.get("spec"), expansion.JOB_SPEC, "spec"):
        yield Violation(place, expansion.OPEN_REFERENCE, text)


def references_of_no_form(job: JobSubject) -> Iterator[str]:
    """Warn about unknown references such as `$(flow.nmae)`, which are not replaced."""
    wrong = [each for each in substitution.references_in(job.raw.get("spec"), "spec") if each.form is Form.UNKNOWN]
    for reference in wrong[:_NAMED]:
        yield f"{reference.path}: {reference.text} is not a known reference and is not replaced"
