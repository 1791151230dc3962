"""Subjects of schedules and flow templates: CronJobFlow and JobFlowTemplate with the flow that each contains."""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import msgspec

from shared import kinds
from shared.model.flow import JobFlowSpec, Param
from shared.model.schedules.backfill import BackfillSpec
from shared.model.schedules.cron_job import CronJobSpec
from shared.model.schedules.cron_job_flow import CronJobFlowSpec
from shared.model.schedules.flow_template import JobFlowTemplateSpec
from shared.model.types import Body
from shared.naming import label_value
from shared.timestamp import epoch_or_none
from webhook.envelope.review import Operation
from webhook.subject.subjects import FlowSubject, JobSubject, Subject, body_or_empty

PLACEHOLDER: Final = re.compile(r"\$\(schedule\.([^()]*)\)")
SCHEDULE_VALUES: Final = ("date", "time", "previousTime", "unix")
_MINUTES: Final = "9" * 8  # as many digits as minutes since 1970 have until the year 2160


@dataclass(frozen=True)
class FlowTemplateSubject(Subject[JobFlowTemplateSpec]):
    """A JobFlowTemplate.

    Its flow is validated with the declared params; names of Jobs are validated when a flow is created from it.
    """

    flow_path: str = "spec.flow"

    @cached_property
    def flow(self) -> FlowSubject | None:
        raw = body_or_empty(body_or_empty(self.raw.get("spec")).get("flow"))
        declared = tuple(Param(name=param.name, value=param.default or "") for param in self.spec.params)
        flow = _flow(self, "f", raw, _with_params(self.spec.flow, declared))
        return replace(flow, template_name=self.name)


@dataclass(frozen=True)
class CronJobSubject(Subject[CronJobSpec]):
    """A CronJob. `job`: the Job it creates, under the longest name that such a Job can have."""

    @cached_property
    def job(self) -> JobSubject:
        template = body_or_empty(body_or_empty(self.raw.get("spec")).get("jobTemplate"))
        metadata = {**body_or_empty(template.get("metadata")), "name": f"{self.name}-{'9' * 8}"}
        return JobSubject(
            raw={"metadata": metadata, "spec": template.get("spec")},
            spec=self.spec.job_template.spec,
            operation=Operation.CREATE,
            lookups=self.lookups,
            namespace=self.namespace,
        )


@dataclass(frozen=True)
class CronFlowSubject(Subject[CronJobFlowSpec]):
    """A CronJobFlow. `flow`: the JobFlow that it creates from jobFlowTemplate, with the name of such a flow."""

    flow_path: str = "spec.jobFlowTemplate.spec"

    @cached_property
    def flow(self) -> FlowSubject | None:
        inline = self.spec.job_flow_template
        if inline is None:
            return None
        template = body_or_empty(body_or_empty(self.raw.get("spec")).get("jobFlowTemplate"))
        raw = body_or_empty(template.get("spec"))
        return _flow(self, label_value(f"{self.name}-{_MINUTES}"), raw, _with_params(inline.spec, self.spec.params))

    @cached_property
    def flow_of_template(self) -> FlowSubject | None:
        """The JobFlow that it creates from an existing JobFlowTemplate, with the name of such a flow."""
        return made_flow(self, f"{self.name}-{_MINUTES}", self.raw)

    @cached_property
    def template(self) -> JobFlowTemplateSpec | None:
        """The JobFlowTemplate that it names, if it exists and can be read."""
        reference = self.spec.template
        body = self.lookups.get(kinds.JOBFLOWTEMPLATE, self.namespace, reference.name) if reference else None
        try:
            return None if body is None else msgspec.convert(body.get("spec"), JobFlowTemplateSpec)
        except msgspec.ValidationError:
            return None


def _with_params(flow: JobFlowSpec, params: tuple[Param, ...]) -> JobFlowSpec:
    own = {param.name for param in flow.params}
    more = {param.name: param for param in params if param.name not in own}
    return msgspec.structs.replace(flow, params=(*flow.params, *more.values()))


def _flow(outer: Subject[Any], name: str, raw: Body, spec: JobFlowSpec) -> FlowSubject:
    return FlowSubject(
        raw={"metadata": {"name": name}, "spec": raw},
        spec=spec,
        operation=Operation.CREATE,
        lookups=outer.lookups,
        namespace=outer.namespace,
    )


def made_flow(subject: Subject[Any], name: str, cron: Body) -> FlowSubject | None:
    """The JobFlow of that name that the CronJobFlow `cron` would create; None if its template cannot be read.

    Of an inline flow only a backfill asks: the CronJobFlow itself has it as `flow`.
    """
    spec = body_or_empty(cron.get("spec"))
    reference = body_or_empty(spec.get("template")).get("name")
    if reference:
        body = subject.lookups.get(kinds.JOBFLOWTEMPLATE, subject.namespace, str(reference)) or {}
        raw = body_or_empty(body_or_empty(body.get("spec")).get("flow"))
    else:
        raw = body_or_empty(body_or_empty(spec.get("jobFlowTemplate")).get("spec"))
    try:
        return _flow(subject, label_value(name), raw, msgspec.convert(raw, JobFlowSpec)) if raw else None
    except msgspec.ValidationError:
        return None


@dataclass(frozen=True)
class BackfillSubject(Subject[BackfillSpec]):
    """A CronJobFlowBackfill.

    `bounds`: spec.from and spec.to in seconds since 1970, None if they are not valid times.
    """

    @cached_property
    def bounds(self) -> tuple[float | None, float | None]:
        return epoch_or_none(self.spec.from_), epoch_or_none(self.spec.to)

    @cached_property
    def flow(self) -> FlowSubject | None:
        """A JobFlow that it creates, with the name of such a flow; None as long as the schedule is not known."""
        cron = self.lookups.get(kinds.CRONJOBFLOW, self.namespace, self.spec.cron_job_flow)
        return None if cron is None else made_flow(self, f"{self.name}-b{_MINUTES}", cron)
