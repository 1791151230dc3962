"""The pods of JobFlows, as far as the caller may see them."""

from aiohttp import web

from shared.kinds import POD
from shared.kube.client.errors import Forbidden
from shared.model.types import Body
from shared.names import JOB_NAME
from web.context import caller


async def flow_pods(request: web.Request, namespace: str) -> list[Body]:
    """Those of all Jobs in the namespace; none for whoever may not list pods."""
    try:
        return [pod async for pod in caller(request).api.list(POD, namespace, label_selector=JOB_NAME)]
    except Forbidden:
        return []
