"""The pods of JobFlows, as far as the caller may see them."""

from aiohttp import web

from shared.kinds import POD
from shared.model.types import Body
from shared.names import JOB_NAME
from web.pages.optional import listed


async def flow_pods(request: web.Request, namespace: str) -> list[Body]:
    """Those of all Jobs in the namespace; none if the caller may not list pods."""
    return await listed(request, POD, namespace, JOB_NAME)
