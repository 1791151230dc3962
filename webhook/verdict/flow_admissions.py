"""Admission of JobFlow and JobTemplate."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from shared import kinds
from shared.model.flow import JobFlowSpec
from shared.model.job import JobSpec
from webhook import rules
from webhook.defaults import flow_defaults, template_defaults
from webhook.subject.lookups import MissingObject
from webhook.subject.subjects import FlowSubject, JobSubject
from webhook.verdict.kind_admission import KindAdmission, subject_maker


def _namespace_of_flow(flow: FlowSubject) -> Iterable[MissingObject]:
    """Its labels decide which kinds its steps may create."""
    if any(step.resource is not None for _, step in flow.special):
        yield MissingObject(kinds.NAMESPACE, "", flow.namespace)


_SPECIAL: Final[frozenset[Callable[[Any], Any]]] = rules.RULES_OF_SPECIAL_STEPS | rules.WARNINGS_OF_SPECIAL_STEPS


def _idle(flow: FlowSubject) -> frozenset[Callable[[Any], Any]]:
    return _SPECIAL if flow.is_plain else frozenset()


JOBFLOW: Final = KindAdmission(
    kinds.JOBFLOW,
    subject_maker(FlowSubject, JobFlowSpec),
    rules=rules.FLOW_RULES,
    update=rules.FLOW_UPDATE_RULES,
    structure=rules.FLOW_STRUCTURE,
    warnings=rules.FLOW_WARNINGS,
    delete_warnings=rules.FLOW_DELETE_WARNINGS,
    defaults=lambda flow, options: flow_defaults(flow),
    idle=_idle,
    missing=_namespace_of_flow,
)
JOBTEMPLATE: Final = KindAdmission(
    kinds.JOBTEMPLATE,
    subject_maker(JobSubject, JobSpec, template=True),
    rules=rules.TEMPLATE_RULES,
    warnings=rules.TEMPLATE_WARNINGS,
    delete_warnings=rules.TEMPLATE_DELETE_WARNINGS,
    defaults=lambda template, options: template_defaults(template),
)
