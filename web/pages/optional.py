"""Objects that a page shows if it may and if their kind is installed."""

from aiohttp import web

from shared.kinds import Kind
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from web.context import caller


async def listed(request: web.Request, kind: Kind, namespace: str = "", label_selector: str = "") -> list[Body]:
    """An empty list if the caller may not list them, or if the cluster does not know the kind."""
    try:
        return [body async for body in caller(request).api.list(kind, namespace, label_selector=label_selector)]
    except (Forbidden, NotFound):
        return []
