"""Admission per kind: model, rules, warnings and defaults. A new kind is added to ADMISSIONS in this module."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from shared import kinds, names
from shared.kinds import Kind
from shared.model.command import Command
from shared.model.flow import JobFlowSpec
from shared.model.job import JobSpec
from shared.model.podgroup import PodGroupSpec
from shared.model.policy import JobFlowPolicySpec
from shared.model.queue import QueueSpec
from shared.model.types import Body
from webhook import rules
from webhook.defaults.flow import flow_defaults
from webhook.defaults.job import job_defaults
from webhook.defaults.podgroup import podgroup_defaults
from webhook.defaults.queue import queue_defaults
from webhook.defaults.template import template_defaults
from webhook.envelope.patch import Setting
from webhook.envelope.review import AdmissionReview, Operation
from webhook.rules import Rule, Warner
from webhook.subject.lookups import Lookups, MissingObject
from webhook.subject.subjects import (
    CommandSubject,
    FlowSubject,
    GroupSubject,
    JobSubject,
    PodSubject,
    PolicySubject,
    QueueSubject,
    Subject,
    body_or_empty,
)


@dataclass(frozen=True)
class AdmissionOptions:
    """The operator's settings that verdicts depend on."""

    scheduler_names: tuple[str, ...] = (names.DEFAULT_SCHEDULER,)
    volcano_crds: bool = False  # Volcano's CRDs are installed; they default `queue` (docs/design/decisions.md, row 26)


DEFAULT_OPTIONS: Final = AdmissionOptions()

Make = Callable[[AdmissionReview, Body, Lookups, AdmissionOptions], Subject[Any]]
Defaults = Callable[[Any, AdmissionOptions], Iterable[Setting]]


@dataclass(frozen=True)
class KindAdmission:
    """Admission of one kind. `subject` raises msgspec.ValidationError if the object does not match the schema.

    `judged` returns the part of an object that rules read: an UPDATE that leaves it unchanged is allowed.
    `missing` returns the objects whose absence may cause a refusal.
    """

    kind: Kind
    subject: Make
    create: tuple[Rule, ...] = ()
    update: tuple[Rule, ...] = ()
    delete: tuple[Rule, ...] = ()
    warnings: tuple[Warner, ...] = ()
    delete_warnings: tuple[Warner, ...] = ()
    defaults: Defaults = lambda subject, options: ()
    judged: Callable[[Body], Any] = lambda body: body.get("spec")
    missing: Callable[[Any], Iterable[MissingObject]] = lambda subject: ()


def _spec(body: Body, model: Any) -> Any:
    spec = body.get("spec")
    return msgspec.convert({} if spec is None else spec, model)


def _command(body: Body, model: Any) -> Any:
    return msgspec.convert({key: value for key, value in body.items() if key != "metadata"}, model)


def _old(read: Callable[[Body, Any], Any], body: Body | None, model: Any) -> Any:
    """The stored spec; None if there is none or it does not match the current schema."""
    try:
        return None if body is None else read(body, model)
    except msgspec.ValidationError:
        return None


def _subject(make: Callable[..., Any], model: Any, read: Callable[[Body, Any], Any] = _spec, **more: Any) -> Make:
    def subject(review: AdmissionReview, body: Body, lookups: Lookups, options: AdmissionOptions) -> Any:
        chosen = {"scheduler_names": options.scheduler_names} if make is PodSubject else {}
        return make(
            raw=body,
            spec=read(body, model),
            operation=review.operation,
            lookups=lookups,
            namespace=review.namespace or str(body_or_empty(body.get("metadata")).get("namespace") or ""),
            old=review.old_object,
            old_spec=_old(read, review.old_object, model),
            **more,
            **chosen,
        )

    return subject


def _queue_of_job(job: JobSubject) -> Iterable[MissingObject]:
    if job.spec.queue:
        yield MissingObject(kinds.QUEUE, "", job.spec.queue)


def _queue_of_group(group: GroupSubject) -> Iterable[MissingObject]:
    if group.spec.queue:
        yield MissingObject(kinds.QUEUE, "", group.spec.queue)


def _parent_of_queue(queue: QueueSubject) -> Iterable[MissingObject]:
    if queue.spec.parent:
        yield MissingObject(kinds.QUEUE, "", queue.spec.parent)


def _queue_text(body: Body) -> Any:
    """The rules of Queues also read annotations."""
    return body.get("spec"), body_or_empty(body.get("metadata")).get("annotations")


JOBFLOW: Final = KindAdmission(
    kinds.JOBFLOW,
    _subject(FlowSubject, JobFlowSpec),
    create=rules.FLOW_RULES,
    update=(*rules.FLOW_RULES, *rules.FLOW_UPDATE_RULES),
    warnings=rules.FLOW_WARNINGS,
    delete_warnings=rules.FLOW_DELETE_WARNINGS,
    defaults=lambda flow, options: flow_defaults(flow),
)
JOBTEMPLATE: Final = KindAdmission(
    kinds.JOBTEMPLATE,
    _subject(JobSubject, JobSpec, template=True),
    create=rules.JOB_SPEC_RULES,
    update=rules.JOB_SPEC_RULES,
    warnings=rules.TEMPLATE_WARNINGS,
    delete_warnings=rules.TEMPLATE_DELETE_WARNINGS,
    defaults=lambda template, options: template_defaults(template),
)
JOB: Final = KindAdmission(
    kinds.JOB,
    _subject(JobSubject, JobSpec),
    create=rules.JOB_RULES,
    update=rules.JOB_UPDATE_RULES,
    warnings=rules.JOB_WARNINGS,
    defaults=lambda job, options: job_defaults(job, options.scheduler_names[0]),
    missing=_queue_of_job,
)
QUEUE: Final = KindAdmission(
    kinds.QUEUE,
    _subject(QueueSubject, QueueSpec),
    create=rules.QUEUE_RULES,
    update=rules.QUEUE_RULES,
    delete=rules.QUEUE_DELETE_RULES,
    defaults=lambda queue, options: queue_defaults(queue),
    judged=_queue_text,
    missing=_parent_of_queue,
)
PODGROUP: Final = KindAdmission(
    kinds.PODGROUP,
    _subject(GroupSubject, PodGroupSpec),
    create=rules.PODGROUP_RULES,
    defaults=lambda group, options: podgroup_defaults(group),
    missing=_queue_of_group,
)
COMMAND: Final = KindAdmission(
    kinds.COMMAND,
    _subject(CommandSubject, Command, _command),
    create=rules.COMMAND_RULES,
    judged=lambda body: None,
)
JOBFLOWPOLICY: Final = KindAdmission(
    kinds.JOBFLOWPOLICY,
    _subject(PolicySubject, JobFlowPolicySpec),
    create=rules.POLICY_RULES,
    update=rules.POLICY_RULES,
)
POD: Final = KindAdmission(
    kinds.POD,
    _subject(PodSubject, None, lambda body, model: None),
    create=rules.POD_RULES,
    judged=lambda body: None,
)
ADMISSIONS: Final[Mapping[tuple[str, str], KindAdmission]] = {
    (admission.kind.group, admission.kind.kind): admission
    for admission in (JOBFLOW, JOBTEMPLATE, JOB, QUEUE, PODGROUP, COMMAND, JOBFLOWPOLICY, POD)
}


def admission_of(review: AdmissionReview) -> KindAdmission | None:
    """The admission of the reviewed kind; None for other kinds and for subresources."""
    return None if review.sub_resource else ADMISSIONS.get((review.kind.group, review.kind.kind))


def unjudged(admission: KindAdmission, review: AdmissionReview) -> bool:
    """Whether the UPDATE is allowed without rules: the object is being deleted, or the parts that rules read are unchanged."""
    if review.operation is not Operation.UPDATE or review.object is None:
        return False
    if body_or_empty(review.object.get("metadata")).get("deletionTimestamp"):
        return True
    return review.old_object is not None and admission.judged(review.object) == admission.judged(review.old_object)
