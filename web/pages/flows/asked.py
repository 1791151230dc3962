"""Which approvals a page asks for, and whether the caller may answer."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from drawing.nested import StepPlace
from shared.kinds import JOBFLOW
from web.context import caller
from web.views.flows.approvals import waiting_approvals

_SHOWN = 5


async def approvals_asked(request: web.Request, places: Mapping[str, StepPlace]) -> Mapping[str, Any]:
    """`approvals`: at most five; `approvals_more`: how many others; `may_approve`: by name of the flow."""
    found = waiting_approvals(places)
    flows = {(each.namespace, each.flow) for each in found[:_SHOWN]}
    may = {name: await caller(request).may("approve", JOBFLOW, namespace, name) for namespace, name in flows}
    return {"approvals": found[:_SHOWN], "approvals_more": max(len(found) - _SHOWN, 0), "may_approve": may}
