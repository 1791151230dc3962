"""`/templates`: JobTemplates and JobFlowTemplates, and who uses them."""

import time
from typing import Final

from aiohttp import web

from shared.kinds import CRONJOBFLOW, JOBFLOW, JOBFLOWTEMPLATE, JOBTEMPLATE
from web.context import caller
from web.pages.object_yaml import as_yaml
from web.pages.optional import listed
from web.pages.queries import ALL_NAMESPACES, namespace_of
from web.render import page
from web.views.flows.listing import templates_of
from web.views.param_fields import fields_of_template
from web.views.template_list import TemplateUse, flow_templates, job_templates

MOST_USES: Final = 100


async def flow_template(request: web.Request) -> web.StreamResponse:
    """`/templates/NAMESPACE/NAME`: a JobFlowTemplate with the form that runs it."""
    namespace, name = request.match_info["namespace"], request.match_info["name"]
    body = await caller(request).api.get(JOBFLOWTEMPLATE, namespace, name)
    schedules, flows = await listed(request, CRONJOBFLOW, namespace), await listed(request, JOBFLOW, namespace)
    (row,) = flow_templates([body], schedules, flows, most=MOST_USES)
    values = {
        "section": "templates",
        "row": row,
        "fields": fields_of_template(body),
        "text": as_yaml(body),
        "now": time.time(),
        "topics": (f"jobflowtemplates/{namespace}/{name}", f"jobflows/{namespace}"),
    }
    return page(request, "template.html", values)


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
