"""Timelines: what each attempt did when, which steps make the flow as long as it is."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from drawing.flow_view import flow_view
from drawing.page import Links, timeline_element
from drawing.timeline.model import AttemptStage, Timeline
from drawing.timeline.rows import MOST, critical_path, timeline
from drawing.timeline.ticks import ticks
from shared.model.types import Body
from shared.timestamp import epoch, rfc3339
from tests.cli.make import status
from tests.webhook.make import flow, step

START = epoch("2026-01-02T03:00:00Z")
LINKS = Links(box=lambda box: "#", bar=lambda bar: "#", step=lambda name: f"?step={name}")


def at(second: float | None) -> str | None:
    return None if second is None else rfc3339(START + second)


def entry(name: str, state: str, *stays: tuple[str, float, float | None]) -> Body:
    histories = [{"state": phase, "startTimestamp": at(start), "endTimestamp": at(end)} for phase, start, end in stays]
    last = stays[-1][2]
    return {
        "name": name,
        "state": state,
        "startTimestamp": at(stays[0][1]),
        "endTimestamp": at(last),
        "runningHistories": histories,
    }


def state(name: str, phase: str, start: float, end: float | None = None) -> Mapping[str, Any]:
    return {"name": name, "phase": phase, "startTime": at(start), "completionTime": at(end)}


def running(body: Body, states: list[Any], jobs: list[Body], phase: str = "Running") -> Body:
    return {**body, "status": {**status(phase, states), "startTime": at(0), "jobStatusList": jobs}}


def made(body: Body, pods: list[Body] | None = None, now: float = 100) -> Timeline:
    return timeline(flow_view(body), body, pods or [], START + now)


def pod(job: str, scheduled: float | None) -> Body:
    condition = {
        "type": "PodScheduled",
        "status": "True" if scheduled else "False",
        "lastTransitionTime": at(scheduled),
    }
    return {"metadata": {"labels": {"volcano.sh/job-name": job}}, "status": {"conditions": [condition]}}


def spans(view: Timeline, row: int = 0) -> list[list[tuple[str, float, float]]]:
    return [
        [(span.stage, span.start - START, span.end - START) for span in attempt.spans]
        for lane in view.rows[row].lanes
        for attempt in lane
    ]


ONE = flow(step("a"))


def test_pods_tell_waiting_for_room_from_starting() -> None:
    job = entry("f-a", "Completed", ("Pending", 0, 30), ("Running", 30, 90), ("Completed", 90, 90))
    body = running(ONE, [state("a", "Completed", 0, 90)], [job])
    assert spans(made(body)) == [[(AttemptStage.NOT_RUNNING, 0, 30), (AttemptStage.RUNNING, 30, 90)]]
    assert spans(made(body, [pod("f-a", 5), pod("f-a", 20)])) == [
        [(AttemptStage.ROOM, 0, 20), (AttemptStage.STARTING, 20, 30), (AttemptStage.RUNNING, 30, 90)]
    ]


def test_a_pod_without_a_node_waits_for_room_until_now() -> None:
    body = running(ONE, [state("a", "Pending", 0)], [entry("f-a", "Pending", ("Pending", 0, None))])
    assert spans(made(body, [pod("f-a", 10), pod("f-a", None)])) == [[(AttemptStage.ROOM, 0, 100)]]
    assert made(body).now == START + 100


def test_attempts_follow_each_other_in_one_lane_and_overlaps_go_below() -> None:
    retries = [entry("f-a", "Failed", ("Running", 0, 10)), entry("f-a-r1", "Completed", ("Running", 20, 40))]
    body = running(ONE, [state("a", "Completed", 0, 40)], retries)
    assert [len(row.lanes) for row in made(body).rows] == [1]
    loop = flow(step("a", **{"for": {"items": ["x", "y"]}}))
    both = [entry("f-a-0", "Running", ("Running", 0, None)), entry("f-a-1", "Running", ("Running", 5, None))]
    assert [len(row.lanes) for row in made(running(loop, [state("a", "Running", 0)], both)).rows] == [2]


def test_many_parallel_jobs_become_one_bar_that_shows_the_worst() -> None:
    loop = flow(step("a", **{"for": {"range": {"end": 50}}}))
    jobs = [entry(f"f-a-{n}", "Failed" if n == 7 else "Completed", ("Running", n, 60)) for n in range(50)]
    ((attempt,),) = made(running(loop, [state("a", "Failed", 0, 60)], jobs)).rows[0].lanes
    assert (attempt.count, attempt.phase, attempt.start - START, attempt.end - START) == (50, "Failed", 0, 60)


def test_a_job_that_restarts_shows_both_stays() -> None:
    stays = (("Running", 0, 10), ("Restarting", 10, 12), ("Pending", 12, 20), ("Running", 20, 30))
    body = running(ONE, [state("a", "Completed", 0, 30)], [entry("f-a", "Completed", *stays)])
    assert spans(made(body)) == [
        [(AttemptStage.RUNNING, 0, 12), (AttemptStage.NOT_RUNNING, 12, 20), (AttemptStage.RUNNING, 20, 30)]
    ]


def test_steps_whose_jobs_are_not_listed_and_unreadable_entries() -> None:
    body = running(ONE, [state("a", "Completed", 5, 25)], [{"name": "f-a", "state": "Odd"}])
    assert spans(made(body)) == [[(AttemptStage.RUNNING, 5, 25)]]
    assert made(ONE).rows == ()
    pending = running(ONE, [state("a", "Pending", 5)], [])
    assert spans(made(pending)) == [[(AttemptStage.NOT_RUNNING, 5, 100)]]


DIAMOND = flow(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), **{"finally": [step("tell")]})


def test_the_critical_path_leads_back_from_the_last_step() -> None:
    states = [
        state("a", "Completed", 0, 10),
        state("b", "Completed", 10, 20),
        state("c", "Completed", 10, 50),
        state("d", "Running", 50),
    ]
    view = flow_view(running(DIAMOND, states, []))
    assert list(critical_path(view, START + 60)) == ["d", "c", "a"]
    ended = [*states[:3], state("d", "Completed", 50, 70), state("tell", "Running", 70)]
    assert list(critical_path(flow_view(running(DIAMOND, ended, [])), START + 80)) == ["tell", "d", "c", "a"]
    assert [row.step for row in made(running(DIAMOND, states, [])).rows if row.critical] == ["a", "c", "d"]


def test_a_timeline_of_many_steps_keeps_failures_and_the_critical_path() -> None:
    names = [f"s{number}" for number in range(900)]
    states = [state(name, "Failed" if name == "s777" else "Completed", 0, 5) for name in names[:-1]]
    body = running(flow(*(step(name) for name in names)), [*states, state(names[-1], "Completed", 0, 50)], [])
    view = made(body)
    assert (len(view.rows), view.hidden) == (MOST, 600)
    assert {"s777", "s899"} <= {row.step for row in view.rows}


def test_the_picture_is_xml_with_a_link_for_each_step_and_no_styles() -> None:
    jobs = [
        entry("f-a", "Completed", ("Pending", 0, 5), ("Running", 5, 40)),
        entry("f-c", "Failed", ("Running", 40, 60)),
    ]
    states = [state("a", "Completed", 0, 40), state("c", "Failed", 40, 60)]
    text = timeline_element(made(running(DIAMOND, states, jobs)), LINKS)
    root = ElementTree.fromstring(text)
    assert [link.get("href") for link in root.iter("{http://www.w3.org/2000/svg}a")] == ["?step=a", "?step=c"]
    assert "style" not in text
    assert "f-a: Completed; not running yet 5s; running 35s" in text
    assert 'class="now"' in text


@given(st.floats(0.1, 10**7))
def test_ticks_are_few_even_and_inside(seconds: float) -> None:
    found = list(ticks(seconds))
    assert found[0] == 0
    assert len(found) <= 9
    assert found[-1] <= seconds
    assert len({after - before for before, after in pairwise(found)}) <= 1
