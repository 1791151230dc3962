"""The objects of other kinds that a step makes, as far as the caller may see them."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from shared.kube.client.errors import Forbidden
from shared.kube.owned_pods import kind_served
from shared.model.types import Body
from shared.names import STEP
from web.context import caller
from web.pages.object_yaml import as_yaml
from web.views.flows.made_objects import MOST, made_objects


async def objects_of_step(request: web.Request, flow: Body, step: str, manifest: Body) -> Mapping[str, Any]:
    """`objects`: pairs of an object and its YAML; `found`: how many there are; `kind`, `api_version`; `unseen`: why they
    are not shown."""
    api, api_version, kind = caller(request).api, str(manifest.get("apiVersion")), str(manifest.get("kind"))
    values = {"objects": [], "found": 0, "kind": kind, "api_version": api_version, "unseen": ""}
    served = await kind_served(api, api_version, kind)
    if served is None or not served.namespaced:
        return {**values, "unseen": f"The API server does not serve {api_version} {kind} in namespaces."}
    namespace = flow["metadata"]["namespace"]
    try:
        bodies = [body async for body in api.list(served, namespace, label_selector=f"{STEP}={step}")]
    except Forbidden:
        return {**values, "unseen": f"You may not list {served.resource} in namespace {namespace}."}
    found = made_objects(flow, step, bodies)
    return {**values, "objects": [(each, as_yaml(each.body)) for each in found[:MOST]], "found": len(found)}
