"""Pages that stay up to date: one watch for all of a person's pages, and only what that person may see."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from shared.kinds import JOBFLOW
from tests.web.make import a_flow, a_status
from tests.web.site import PlainBrowser, SmallCluster, browser, eventually, in_cluster, laptop

READ = {"apiGroups": ["flow.volcano.sh"], "resources": ["jobflows"], "verbs": ["get", "list"]}


class EventReader:
    """The events of one stream, in order."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    async def next(self, wanted: str = "changed", seconds: float = 10) -> Any:
        """The data of the next event of that name."""
        name = ""
        async with asyncio.timeout(seconds):
            while line := (await self._content.readline()).decode():
                head, _, value = line.strip().partition(": ")
                if head == "event":
                    name = value
                if head == "data" and name == wanted:
                    return json.loads(value)
        raise EOFError


@asynccontextmanager
async def listening(found: PlainBrowser, *topics: str) -> AsyncIterator[EventReader]:
    query = "&".join(f"topic={topic}" for topic in topics)
    async with found.http.get(f"{found.base}/live?{query}") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        events = EventReader(response.content)
        await events.next("state")
        yield events


def watching(cluster: SmallCluster) -> list[str]:
    """Who watches in the namespace default."""
    asked = cluster.server.core.audit.requests
    return sorted(call.user for call in asked if call.verb == "watch" and call.namespace == "default")


async def test_a_change_in_the_cluster_is_told_to_the_pages_that_show_it(cluster: SmallCluster) -> None:
    await cluster.create(JOBFLOW, a_flow("one", {"a": ()}))
    async with laptop(cluster) as site, listening(site, "jobflows/default/one", "jobflows/default") as events:
        assert await events.next() == ["jobflows/default/one", "jobflows/default"]
        await cluster.create(JOBFLOW, a_flow("two", {"a": ()}))
        assert await events.next() == ["jobflows/default"]
        await cluster.status(JOBFLOW, "one", a_status("Running", {"a": "Running"}))
        assert await events.next() == ["jobflows/default/one", "jobflows/default"]


async def test_the_pages_of_one_person_share_a_watch_and_two_people_do_not(cluster: SmallCluster) -> None:
    async with in_cluster(cluster) as base, browser(base) as one, browser(base) as two:
        await one.sign_in(cluster.token("ann", "system:masters"))
        await two.sign_in(cluster.token("bob", "system:masters"))
        topics = ("jobflows/default", "jobflows/default/x")
        async with listening(one, *topics) as first, listening(one, *topics) as second, listening(two, *topics) as last:
            await eventually(lambda: len(watching(cluster)) == 2)
            await cluster.create(JOBFLOW, a_flow("x", {"a": ()}))
            for stream in (first, second, last):
                assert await stream.next() == [*topics]
            assert watching(cluster) == ["ann", "bob"]


async def test_who_may_not_watch_is_told_so_and_sees_the_list_all_the_same(cluster: SmallCluster) -> None:
    cluster.server.core.options.rbac = True
    await cluster.allow("ann", READ)
    await cluster.create(JOBFLOW, a_flow("one", {"a": ()}))
    async with in_cluster(cluster) as base, browser(base) as found:
        await found.sign_in(cluster.token("ann"))
        async with found.http.get(f"{base}/live?topic=jobflows/default") as response:
            events = EventReader(response.content)
            while (state := await events.next("state")) == {}:
                pass
            assert state == {"jobflows/default": "forbidden"}
        assert "one" in (await found.get("/flows?namespace=default")).words


async def test_a_stream_ends_with_its_session(cluster: SmallCluster) -> None:
    async with in_cluster(cluster) as base, browser(base) as found:
        await found.sign_in(cluster.token("ann", "system:masters"))
        await found.get("/flows")
        async with listening(found, "jobflows/default") as events:
            await found.sign_in(cluster.token("bob", "system:masters"))
            await cluster.create(JOBFLOW, a_flow("secret", {"a": ()}))
            with_news = []
            try:
                while True:
                    with_news.append(await events.next())
            except EOFError:
                pass
            assert len(with_news) <= 1, "at most the list's own first news"


async def test_a_lost_api_server_is_told_and_comes_back(cluster: SmallCluster) -> None:
    async with laptop(cluster) as site, listening(site, "jobflows/default") as events:
        await events.next()
        await cluster.server.down(keep=True)
        assert await events.next("state", 20) == {"jobflows/default": "lost"}
        await cluster.server.up()
        assert await events.next("state", 20) == {}


async def test_a_flood_of_changes_reaches_a_slow_reader_as_few_events(cluster: SmallCluster) -> None:
    await cluster.create(JOBFLOW, a_flow("one", {"a": ()}))
    async with laptop(cluster) as site, listening(site, "jobflows/default/one") as events:
        await events.next()
        for turn in range(200):
            await cluster.status(JOBFLOW, "one", a_status("Running", {"a": {"phase": "Running", "attempts": turn}}))
        seen = 0
        try:
            while True:
                await events.next(seconds=1)
                seen += 1
        except TimeoutError:
            assert 0 < seen < 100


async def test_one_person_cannot_open_streams_without_end(cluster: SmallCluster) -> None:
    async with laptop(cluster) as site:
        codes = []
        opened = []
        for _ in range(50):
            response = await site.http.get(f"{site.base}/live?topic=jobflows/default")
            codes.append(response.status)
            opened.append(response)
        assert (codes.count(200), codes.count(429)) == (40, 10)
        for response in opened:
            response.close()


async def test_what_is_no_topic_is_left_out(site: PlainBrowser) -> None:
    for topic in ("secrets/default", "jobflows", "jobflows/a/b/c", "queues/a/b", "x", "../flows"):
        async with site.http.get(f"{site.base}/live", params={"topic": topic}) as response:
            assert await EventReader(response.content).next("state") == {}
