"""`/templates`: JobTemplates and JobFlowTemplates, and who uses them."""

import time

from aiohttp import web

from shared.kinds import CRONJOBFLOW, JOBFLOW, JOBFLOWTEMPLATE, JOBTEMPLATE
from web.context import caller
from web.pages.optional import listed
from web.pages.queries import ALL_NAMESPACES, namespace_of
from web.render import page
from web.views.flows.listing import templates_of
from web.views.template_list import TemplateUse, flow_templates, job_templates


async def templates(request: web.Request) -> web.StreamResponse:
    namespace = namespace_of(request)
    jobs = [body async for body in caller(request).api.list(JOBTEMPLATE, namespace)]
    flows = await listed(request, JOBFLOW, namespace)
    whole, schedules = await listed(request, JOBFLOWTEMPLATE, namespace), await listed(request, CRONJOBFLOW, namespace)
    uses = (
        (TemplateUse(JOBFLOW.plural, str(body["metadata"].get("namespace")), str(body["metadata"]["name"])), names)
        for body in flows
        if (names := templates_of(body))
    )
    values = {
        "section": "templates",
        "namespace": namespace,
        "jobs": job_templates(jobs, uses),
        "flows": flow_templates(whole, schedules, flows),
        "now": time.time(),
        "topics": tuple(
            f"{kind.plural}/{namespace or ALL_NAMESPACES}" for kind in (JOBTEMPLATE, JOBFLOWTEMPLATE, JOBFLOW)
        ),
    }
    return page(request, "templates.html", values)
