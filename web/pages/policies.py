"""`/policies`: the policies of the cluster, and what breaks them."""

import time

from aiohttp import web

from shared.kinds import JOBFLOWPOLICY
from web.context import caller
from web.pages.queries import ALL_NAMESPACES, text
from web.render import page
from web.views.policy_list import policy_rows


async def policies(request: web.Request) -> web.StreamResponse:
    wanted = text(request, "namespace")
    namespace = "" if wanted == ALL_NAMESPACES else wanted
    found = [body async for body in caller(request).api.list(JOBFLOWPOLICY)]
    values = {
        "section": "policies",
        "namespace": namespace,
        "rows": policy_rows(found, namespace),
        "now": time.time(),
        "topics": ("jobflowpolicies",),
    }
    return page(request, "policies.html", values)
