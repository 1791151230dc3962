"""`/policies`: the policies of the cluster, and the objects that violate them."""

import time

from aiohttp import web

from shared.kinds import JOBFLOWPOLICY, JOBFLOWPOLICYEXCEPTION
from web.context import caller
from web.pages.optional import listed
from web.pages.queries import ALL_NAMESPACES, text
from web.render import page
from web.views.exception_list import exceptions_by_policy
from web.views.policy_list import policy_rows


async def policies(request: web.Request) -> web.StreamResponse:
    wanted = text(request, "namespace")
    namespace = "" if wanted == ALL_NAMESPACES else wanted
    found = [body async for body in caller(request).api.list(JOBFLOWPOLICY)]
    exceptions = await listed(request, JOBFLOWPOLICYEXCEPTION, namespace)
    values = {
        "section": "policies",
        "namespace": namespace,
        "rows": policy_rows(found, namespace),
        "exceptions": exceptions_by_policy(exceptions),
        "now": time.time(),
        "topics": (
            JOBFLOWPOLICY.plural,
            *((f"{JOBFLOWPOLICYEXCEPTION.plural}/{namespace or ALL_NAMESPACES}",) if exceptions else ()),
        ),
    }
    return page(request, "policies.html", values)
