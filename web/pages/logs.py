"""`/logs/NAMESPACE/JOB`: the logs of a Job's pods, followed by a page or downloaded."""

import asyncio
import contextlib
import json
from contextlib import aclosing

from aiohttp import web

from shared.kube.client.errors import ApiError
from shared.kube.pod_logs import pods_of_job
from web.cluster.job_logs import JobLogs, whole_log
from web.context import HUB, SESSION, STREAMS, caller
from web.pages.attachments import attachment
from web.pages.queries import text


class _Reader:
    """A stream of logs, which ends with its session."""

    def __init__(self, task: "asyncio.Task[object]") -> None:
        self._task = task

    def close(self) -> None:
        self._task.cancel()


async def follow(request: web.Request) -> web.StreamResponse:
    """A JSON object a line: `pod`, `text`, and `note` for lines that do not come from the pod."""
    where = request.match_info
    logs = JobLogs(
        caller(request),
        where["namespace"],
        where["job"],
        pod=text(request, "pod"),
        container=text(request, "container"),
    )
    task = asyncio.current_task()
    assert task is not None  # handlers run in tasks
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "X-Accel-Buffering": "no"})
    with (
        request.app[HUB].one_more(caller(request)),
        request.app[STREAMS].of_session(request[SESSION].id, _Reader(task)),
        contextlib.suppress(ConnectionError),
    ):
        await response.prepare(request)
        async with aclosing(logs.follow()) as lines:
            try:
                async for line in lines:
                    said = {"pod": line.pod, "text": line.text, **({"note": True} if line.note else {})}
                    await response.write(json.dumps(said).encode() + b"\n")
            except ApiError as error:
                await response.write(json.dumps({"pod": "", "text": error.message, "note": True}).encode() + b"\n")
    return response


async def download(request: web.Request) -> web.StreamResponse:
    """All pods one after the other, whole, as plain text."""
    who, where = caller(request), request.match_info
    pods = await pods_of_job(who.api, where["namespace"], where["job"])
    headers = {"Content-Type": "text/plain; charset=utf-8", **attachment(where["job"], "log")}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    for pod in pods:
        await response.write(f"==> {pod['metadata']['name']} <==\n".encode())
        async with aclosing(whole_log(who, pod, text(request, "container"))) as chunks:
            try:
                async for chunk in chunks:
                    await response.write(chunk)
            except ApiError as error:
                await response.write(f"{error.message}\n".encode())
    return response
