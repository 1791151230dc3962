"""`/live`: the stream that tells a browser which of its topics have changed. It carries no objects: pages are fetched
again, with the rights of that moment."""

import asyncio
import contextlib
import json
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from web.cluster.live_hub import LiveStream
from web.cluster.topics import MOST, Topic, parse_topic
from web.context import HUB, SESSION, STREAMS, caller

PAUSE_SECONDS: Final = 0.1  # changes within this time are reported together
LOOK_SECONDS: Final = 1.0  # whether the browser is still there
SEND_SECONDS: Final = 30.0


async def live(request: web.Request) -> web.StreamResponse:
    """Events: `changed` with a list of topics, `state` with the topics that are not live and why."""
    topics = [topic for text in request.query.getall("topic", [])[:MOST] if (topic := parse_topic(text))]
    streams = request.app[STREAMS]
    response = EventSourceResponse(send_timeout=SEND_SECONDS)
    with (
        request.app[HUB].stream(caller(request), topics) as stream,
        streams.of_session(request[SESSION].id, stream),
        contextlib.suppress(ConnectionError, TimeoutError),  # the browser has gone, or does not read
    ):
        await response.prepare(request)
        async with response:
            await _send(request, response, stream, topics)
    return response


async def _send(request: web.Request, response: EventSourceResponse, stream: LiveStream, topics: list[Topic]) -> None:
    hub, who = request.app[HUB], caller(request)
    state: dict[str, str] | None = None
    while not stream.closed and response.is_connected() and request.transport is not None:
        if (now := hub.faults(who, topics)) != state:
            state = now
            await response.send(json.dumps(state), event="state")
        if changed := await _next(stream):
            await response.send(json.dumps(changed), event="changed")
            await asyncio.sleep(PAUSE_SECONDS)


async def _next(stream: LiveStream) -> list[str]:
    """What has changed; every now and then nothing."""
    try:
        return await asyncio.wait_for(stream.wait(), LOOK_SECONDS)
    except TimeoutError:
        return []
