"""What the page of a step shows below its head, by what the step makes: Jobs, flows, or nothing."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from aiohttp import web

from shared import ranges
from shared.model.step import manifest_of, raw_step
from shared.model.types import Body
from web.pages.flows.below import sub_flows, topics_below
from web.pages.flows.other_kinds import objects_of_step
from web.pages.job_pods import pods_and_logs
from web.pages.queries import text
from web.views.flows.loop_items import item_texts
from web.views.flows.step import StepPage, latest
from web.views.flows.sub_flows import MOST, sub_flow_rows

JOBS: Final = "jobs"
Values = Callable[[web.Request, Body, StepPage], Awaitable[Mapping[str, Any]]]


def what_it_makes(body: Body, step: str) -> str:
    """`jobs`, or the field that says what the step does instead."""
    spec = raw_step(body, step)
    return next((field for field in VALUES if spec.get(field) is not None), JOBS)


async def _of_jobs(request: web.Request, body: Body, shown: StepPage) -> Mapping[str, Any]:
    """The pods and logs of the chosen Job."""
    metadata, newest = body["metadata"], latest(shown.jobs)
    job = text(request, "job") or (newest.name if newest else shown.gone[-1] if shown.gone else "")
    found = await pods_and_logs(request, metadata["namespace"], job)
    return {
        **found,
        "items": _items(body, shown, (row.iteration for row in shown.jobs)),
        "topics": (_own(body), *((f"pods/{metadata['namespace']}/{job}",) if job else ())),
    }


async def _of_flows(request: web.Request, body: Body, shown: StepPage) -> Mapping[str, Any]:
    rows = sub_flow_rows(body, shown.step.name, await sub_flows(request, body))
    items = _items(body, shown, (row.iteration for row in rows[:MOST]))
    return {
        "items": items,
        "sub_flows": rows[:MOST],
        "sub_flows_found": len(rows),
        "topics": (_own(body), *topics_below(body)),
    }


async def _of_objects(request: web.Request, body: Body, shown: StepPage) -> Mapping[str, Any]:
    """Objects of another kind. They are not watched: the flow's status changes with them."""
    manifest = manifest_of(body, shown.step.name) or {}
    made = await objects_of_step(request, body, shown.step.name, manifest)
    items = _items(body, shown, (each.iteration for each, _ in made["objects"]))
    return {"made": made, "items": items, "topics": (_own(body),)}


async def _of_nothing(request: web.Request, body: Body, shown: StepPage) -> Mapping[str, Any]:
    return {"items": {}, "topics": (_own(body),)}


def _items(body: Body, shown: StepPage, iterations: Iterable[str]) -> Mapping[str, str]:
    """The items of these iterations, and of the first that failed, by index."""
    indexes = {int(each) for each in iterations if each.isdecimal()}
    if shown.iterations:
        indexes |= set(sorted(ranges.parse(shown.iterations.failed_indexes))[:MOST])
    loop = raw_step(body, shown.step.name).get("for") or {}
    return {str(index): text for index, text in item_texts(loop, indexes).items()}


def _own(body: Body) -> str:
    return f"jobflows/{body['metadata']['namespace']}/{body['metadata']['name']}"


VALUES: Final[Mapping[str, Values]] = {
    JOBS: _of_jobs,
    "flow": _of_flows,
    "resource": _of_objects,
    "approve": _of_nothing,
    "switch": _of_nothing,
}
