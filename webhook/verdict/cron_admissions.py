"""Admission of the kinds with schedules and of JobFlowTemplate."""

from collections.abc import Iterable
from typing import Final

from shared import kinds
from shared.model.schedules.backfill import BackfillSpec
from shared.model.schedules.cron_job import CronJobSpec
from shared.model.schedules.cron_job_flow import CronJobFlowSpec
from shared.model.schedules.flow_template import JobFlowTemplateSpec
from webhook import rules
from webhook.subject.cron_subjects import BackfillSubject, CronFlowSubject, CronJobSubject, FlowTemplateSubject
from webhook.subject.lookups import MissingObject
from webhook.verdict.kind_admission import KindAdmission, subject_maker


def _template_of_cron(cron: CronFlowSubject) -> Iterable[MissingObject]:
    if cron.spec.template is not None:
        yield MissingObject(kinds.JOBFLOWTEMPLATE, cron.namespace, cron.spec.template.name)


CRONJOB: Final = KindAdmission(
    kinds.CRONJOB,
    subject_maker(CronJobSubject, CronJobSpec),
    rules=rules.CRONJOB_RULES,
    warnings=rules.CRONJOB_WARNINGS,
    notices=rules.CRONJOB_NOTICES,
)
JOBFLOWTEMPLATE: Final = KindAdmission(
    kinds.JOBFLOWTEMPLATE,
    subject_maker(FlowTemplateSubject, JobFlowTemplateSpec),
    rules=rules.JOBFLOWTEMPLATE_RULES,
    warnings=rules.JOBFLOWTEMPLATE_WARNINGS,
)
CRONJOBFLOW: Final = KindAdmission(
    kinds.CRONJOBFLOW,
    subject_maker(CronFlowSubject, CronJobFlowSpec),
    rules=rules.CRONJOBFLOW_RULES,
    structure=rules.CRONJOBFLOW_STRUCTURE,
    warnings=rules.CRONJOBFLOW_WARNINGS,
    notices=rules.CRONJOBFLOW_NOTICES,
    missing=_template_of_cron,
)
BACKFILL: Final = KindAdmission(
    kinds.CRONJOBFLOWBACKFILL,
    subject_maker(BackfillSubject, BackfillSpec),
    rules=rules.BACKFILL_RULES,
    structure=rules.BACKFILL_STRUCTURE,
    warnings=rules.BACKFILL_WARNINGS,
)
