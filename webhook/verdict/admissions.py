"""The table of admissions: model, rules, warnings and defaults of each kind. A new kind is added to ADMISSIONS."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared import kinds
from shared.model.flow import JobFlowSpec
from shared.model.job import JobSpec
from shared.model.podgroup import PodGroupSpec
from shared.model.queue import QueueSpec
from shared.model.types import Body
from webhook import rules
from webhook.defaults import flow_defaults, job_defaults, podgroup_defaults, queue_defaults, template_defaults
from webhook.envelope.review import AdmissionReview
from webhook.subject.lookups import MissingObject
from webhook.subject.subjects import (
    FlowSubject,
    GroupSubject,
    JobSubject,
    PodSubject,
    QueueSubject,
    body_or_empty,
)
from webhook.verdict.command_admission import COMMAND
from webhook.verdict.cron_admissions import BACKFILL, CRONJOB, CRONJOBFLOW, JOBFLOWTEMPLATE
from webhook.verdict.kind_admission import KindAdmission, subject_maker
from webhook.verdict.policy_admissions import EXCEPTION, JOBFLOWPOLICY


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
    subject_maker(FlowSubject, JobFlowSpec),
    create=rules.FLOW_RULES,
    update=(*rules.FLOW_RULES, *rules.FLOW_UPDATE_RULES),
    structure=rules.FLOW_STRUCTURE,
    warnings=rules.FLOW_WARNINGS,
    delete_warnings=rules.FLOW_DELETE_WARNINGS,
    defaults=lambda flow, options: flow_defaults(flow),
)
JOBTEMPLATE: Final = KindAdmission(
    kinds.JOBTEMPLATE,
    subject_maker(JobSubject, JobSpec, template=True),
    create=rules.TEMPLATE_RULES,
    update=rules.TEMPLATE_RULES,
    warnings=rules.TEMPLATE_WARNINGS,
    delete_warnings=rules.TEMPLATE_DELETE_WARNINGS,
    defaults=lambda template, options: template_defaults(template),
)
JOB: Final = KindAdmission(
    kinds.JOB,
    subject_maker(JobSubject, JobSpec),
    create=rules.JOB_RULES,
    update=rules.JOB_UPDATE_RULES,
    structure=rules.JOB_STRUCTURE,
    warnings=rules.JOB_WARNINGS,
    defaults=lambda job, options: job_defaults(job, options.scheduler_names[0]),
    missing=_queue_of_job,
)
QUEUE: Final = KindAdmission(
    kinds.QUEUE,
    subject_maker(QueueSubject, QueueSpec),
    create=rules.QUEUE_RULES,
    update=rules.QUEUE_RULES,
    delete=rules.QUEUE_DELETE_RULES,
    defaults=lambda queue, options: queue_defaults(queue),
    judged=_queue_text,
    missing=_parent_of_queue,
)
PODGROUP: Final = KindAdmission(
    kinds.PODGROUP,
    subject_maker(GroupSubject, PodGroupSpec),
    create=rules.PODGROUP_RULES,
    defaults=lambda group, options: podgroup_defaults(group),
    missing=_queue_of_group,
)
POD: Final = KindAdmission(
    kinds.POD,
    subject_maker(PodSubject, None, lambda body, model: None),
    create=rules.POD_RULES,
    judged=lambda body: None,
)
ADMISSIONS: Final[Mapping[tuple[str, str], KindAdmission]] = {
    (admission.kind.group, admission.kind.kind): admission
    for admission in (
        JOBFLOW,
        JOBTEMPLATE,
        JOB,
        CRONJOB,
        CRONJOBFLOW,
        BACKFILL,
        JOBFLOWTEMPLATE,
        QUEUE,
        PODGROUP,
        COMMAND,
        JOBFLOWPOLICY,
        EXCEPTION,
        POD,
    )
}


def admission_of(review: AdmissionReview) -> KindAdmission | None:
    """The admission of the reviewed kind; None for other kinds and for subresources."""
    return None if review.sub_resource else ADMISSIONS.get((review.kind.group, review.kind.kind))
