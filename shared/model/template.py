"""JobTemplate (flow.volcano.sh/v1alpha1): a reusable JobSpec."""

from typing import Annotated

from msgspec import Meta

from shared.model.job import JobSpec
from shared.model.meta import ObjectMeta
from shared.model.types import Model


class JobTemplateStatus(Model, frozen=True, kw_only=True):
    job_depends_on_list: Annotated[tuple[str, ...], Meta(description="Jobs created from this template.")] = ()


class JobTemplate(Model, frozen=True, kw_only=True):
    """A Job spec from which JobFlows create Jobs."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()
    status: JobTemplateStatus = JobTemplateStatus()
