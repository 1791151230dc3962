"""What the pages of a step and of a Job show of the Job's pods."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from shared.kube.client.errors import Forbidden
from shared.kube.pod_logs import container_names, pods_of_job
from web.context import caller
from web.pages.queries import text
from web.views.pod_list import pod_rows, state_counts


async def pods_and_logs(request: web.Request, namespace: str, job: str) -> Mapping[str, Any]:
    """`pods`, their `states`, `containers`, and the `pod` and `container` whose log is shown; `hidden`: the right to list
    pods is missing."""
    hidden = False
    try:
        found = await pods_of_job(caller(request).api, namespace, job) if job else []
    except Forbidden:
        found, hidden = [], True
    rows = pod_rows(found)
    return {
        "job": job,
        "pods": rows,
        "states": state_counts(rows),
        "containers": container_names(found),
        "pod": text(request, "pod"),
        "container": text(request, "container"),
        "pods_hidden": hidden,
    }
