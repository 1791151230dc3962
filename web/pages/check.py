"""`/check`: manifests judged by the webhook's own rules, with or without a cluster."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from markupsafe import Markup

from drawing.page import Links, graph_element
from shared.kinds import JOBFLOWPOLICY, JOBFLOWPOLICYEXCEPTION, JOBTEMPLATE, NAMESPACE, Kind
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from web.context import CALLER, SETTINGS, caller
from web.pages.object_yaml import as_yaml
from web.render import page
from web.views.check_result import CheckedFlow, CheckResult, ClusterObjects, checked

LONGEST = 1_500_000  # characters
_NO_LINKS = Links(box=lambda box: "", bar=lambda bar: "", step=lambda name: "")


async def form(request: web.Request) -> web.StreamResponse:
    return _page(request, "", _namespace(request, request.query.get("namespace", "")), None, {})


async def check(request: web.Request) -> web.StreamResponse:
    sent = await request.post()
    text, namespace = str(sent.get("text", "")), _namespace(request, str(sent.get("namespace", "")))
    if len(text) > LONGEST:
        fault = f"This text has {len(text)} characters; at most {LONGEST} are checked at once."
        return _page(request, "", namespace, None, {"fault": fault})
    if not text.strip():
        return _page(request, "", namespace, None, {})
    cluster, unseen = await _cluster(request, namespace) if CALLER in request else (ClusterObjects(), ())
    result = await asyncio.to_thread(checked, text, namespace, cluster, time.time())
    return _page(request, text, namespace, result, {"unseen": unseen, "policies": len(cluster.policies)})


def _page(
    request: web.Request, text: str, namespace: str, result: CheckResult | None, more: Mapping[str, Any]
) -> web.Response:
    values = {
        "section": "check",
        "text": text,
        "namespace": namespace,
        "result": result,
        "flows": [_shown(flow) for flow in result.flows] if result else [],
        "fault": "",
        "unseen": (),
        "policies": 0,
        **more,
    }
    return page(request, "check.html", values)


def _shown(flow: CheckedFlow) -> Mapping[str, Any]:
    # drawing escapes every name that it puts into a picture
    graph = Markup(graph_element(flow.picture, _NO_LINKS)) if flow.picture is not None else ""
    return {"flow": flow, "graph": graph, "jobs": [(name, as_yaml(job)) for name, job in flow.jobs]}


def _namespace(request: web.Request, given: str) -> str:
    return given.strip()[:63] or request.app[SETTINGS].namespace or "default"


async def _cluster(request: web.Request, namespace: str) -> tuple[ClusterObjects, tuple[str, ...]]:
    """The policies, exceptions, templates and namespace labels that the user may read, and which of these the user may not read."""
    api = caller(request).api
    unseen = []

    async def listed(kind: Kind, where: str) -> tuple[Body, ...]:
        try:
            return tuple([body async for body in api.list(kind, where)])
        except (Forbidden, NotFound):
            unseen.append(kind.plural)
            return ()

    policies = await listed(JOBFLOWPOLICY, "")
    exceptions = await listed(JOBFLOWPOLICYEXCEPTION, namespace) if policies else ()
    templates = await listed(JOBTEMPLATE, namespace)
    try:
        labels = ((await api.get(NAMESPACE, "", namespace)).get("metadata") or {}).get("labels") or {}
    except (Forbidden, NotFound):
        labels = None
    by_name = {body["metadata"]["name"]: body for body in templates}
    return ClusterObjects(policies, exceptions, by_name, labels), tuple(unseen)
