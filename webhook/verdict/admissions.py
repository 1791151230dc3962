"""The table of admissions: model, rules, warnings and defaults of each kind. A new kind is added to ADMISSIONS."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared import kinds
from shared.model.job import JobSpec
from webhook import rules
from webhook.defaults import job_defaults
from webhook.envelope.review import AdmissionReview
from webhook.subject.lookups import MissingObject
from webhook.subject.subjects import JobSubject, PodSubject
from webhook.verdict.command_admission import COMMAND
from webhook.verdict.cron_admissions import BACKFILL, CRONJOB, CRONJOBFLOW, JOBFLOWTEMPLATE
from webhook.verdict.flow_admissions import JOBFLOW, JOBTEMPLATE
from webhook.verdict.kind_admission import KindAdmission, subject_maker
from webhook.verdict.policy_admissions import EXCEPTION, JOBFLOWPOLICY
from webhook.verdict.queue_admissions import PODGROUP, QUEUE


def _queue_of_job(job: JobSubject) -> Iterable[MissingObject]:
    if job.spec.queue:
        yield MissingObject(kinds.QUEUE, "", job.spec.queue)


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
