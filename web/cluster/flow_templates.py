"""The JobFlowTemplates that schedules name."""

from shared.kinds import JOBFLOWTEMPLATE
from shared.kube.client.api import Api
from shared.model.types import Body


async def template_of(api: Api, cron: Body) -> Body | None:
    """The JobFlowTemplate that a CronJobFlow names. Raises ApiError."""
    reference = (cron.get("spec") or {}).get("template")
    namespace = cron["metadata"]["namespace"]
    return await api.get(JOBFLOWTEMPLATE, namespace, str(reference["name"])) if reference else None
