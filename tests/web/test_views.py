"""How raw objects are shown: every stored object has a row, and orders and sums are right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawing.flow_view import flow_view
from drawing.nested import places_of_steps
from drawing.svg.boxes import cut_name
from shared.model.types import Body
from tests.web.make import a_flow, a_status
from web.addresses import address, inside
from web.cluster.capped_lines import CappedLines
from web.cluster.topics import parse_topic
from web.faults import missing_right
from web.views.flows.graph_query import front
from web.views.flows.listing import FlowFilter, flow_row, listing
from web.views.flows.loop_items import item_texts
from web.views.flows.next_steps import next_steps
from web.views.flows.step import find_step, step_page
from web.views.paging import cut


def row(name: str, phase: str, ended: int = 0, created: str = "2026-01-01T00:00:00Z") -> Any:
    body = a_flow(name, {"a": (), "b": ()})
    body["metadata"]["creationTimestamp"] = created
    return flow_row({**body, "status": {"state": {"phase": phase}, "progress": f"{ended}/2"}})


def test_flows_of_volcano_have_rows_without_our_fields() -> None:
    body = a_flow("old", {"a": (), "b": ()})
    seen = flow_row(
        {**body, "status": {"state": {"phase": "Running"}, "completedJobs": ["old-a"], "runningJobs": ["b"]}}
    )
    assert (seen.phase, seen.ended, seen.total, seen.going) == ("Running", 1, 2, 1)
    assert flow_row({"metadata": {"name": "x"}}).phase == "Pending"


def test_the_list_is_filtered_sorted_and_counted() -> None:
    rows = [
        row("b", "Running", 1, "2026-01-02T00:00:00Z"),
        row("a", "Failed", 2, "2026-01-03T00:00:00Z"),
        row("abc", "Running", 0),
    ]
    names = lambda **wanted: [each.name for each in listing(rows, FlowFilter(**wanted), 0.0).rows]
    assert names() == ["a", "b", "abc"]
    assert names(sort="name") == ["a", "abc", "b"]
    assert names(sort="-progress") == ["a", "b", "abc"]
    assert names(phase="Running") == ["b", "abc"]
    assert names(name="AB") == ["abc"]
    assert listing(rows, FlowFilter(phase="Failed"), 0.0).counts == {"Running": 2, "Failed": 1}


@given(st.lists(st.integers(), max_size=500), st.integers(-5, 1000), st.integers(1, 120))
def test_pages_lose_nothing_and_every_number_shows_one(rows: list[int], page: int, size: int) -> None:
    first = cut(rows, 1, size)
    joined = [each for number in range(1, first.pages + 1) for each in cut(rows, number, size).rows]
    assert joined == rows
    assert 1 <= cut(rows, page, size).page <= first.pages


@given(st.text(max_size=40))
def test_a_path_of_ours_never_leads_to_another_site(path: str) -> None:
    found = inside(path)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_name_in_an_address_is_one_segment(one: str, other: str) -> None:
    assert address(one, other).count("/") == 2


@given(st.lists(st.binary(max_size=60), max_size=30), st.integers(1, 40))
def test_lines_are_the_same_however_the_stream_is_cut(chunks: list[bytes], longest: int) -> None:
    whole, parts = CappedLines(longest), CappedLines(longest)
    data = b"".join(chunks)
    at_once = [*whole.feed(data), *whole.end()]
    assert [line for chunk in chunks for line in parts.feed(chunk)] + list(parts.end()) == at_once
    assert len(at_once) in (data.count(b"\n"), data.count(b"\n") + 1)


def test_next_says_what_is_held_up_what_comes_and_what_is_later() -> None:
    body = a_flow("f", {"a": (), "b": ("a",), "c": ("b",)})
    steps = {"a": {"phase": "Pending", "reason": "WaitingForPodGroup", "message": "never fits"}}
    body["status"] = a_status("Running", steps, next=[{"name": "b", "waitingFor": ["waits for a"]}])
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    pods: list[Body] = [
        {
            "metadata": {"name": f"f-a-t-{index}", "labels": {"volcano.sh/job-name": "f-a"}},
            "spec": {},
            "status": {"phase": "Pending", "conditions": [condition]},
        }
        for index in range(3)
    ]
    found = next_steps(flow_view(body), places_of_steps(body, []), pods)
    assert [(each.step.name, each.why, each.pods) for each in found.begun] == [
        ("a", ("WaitingForPodGroup: never fits",), (("Unschedulable: 0/3 nodes", 3),))
    ]
    assert [(each.step.name, each.why) for each in found.coming] == [("b", ("waits for a",))]
    assert [(each.step.name, each.why) for each in found.later] == [("c", ("after b",))]


def test_failed_jobs_of_a_step_come_first_and_those_of_other_flows_not_at_all() -> None:
    body = a_flow("f", {"a": ()})
    body["metadata"]["uid"] = "1"
    body["status"] = a_status("Running", {"a": {"phase": "Running", "jobs": ["f-a", "f-a-r1"]}})

    def job(name: str, phase: str, uid: str = "1") -> Body:
        owner = {"kind": "JobFlow", "name": "f", "uid": uid}
        return {"metadata": {"name": name, "ownerReferences": [owner]}, "status": {"state": {"phase": phase}}}

    step = find_step(flow_view(body), "a")
    assert step is not None
    jobs = [job("f-a-2", "Running"), job("f-a-1", "Failed"), job("other", "Failed", "2")]
    found = step_page(step, body, jobs)
    assert [each.name for each in found.jobs] == ["f-a-1", "f-a-2"]
    assert found.gone == ("f-a", "f-a-r1")


@pytest.mark.parametrize(
    ("message", "verb", "resource", "namespace"),
    [
        (
            (
                'jobflows.flow.volcano.sh is forbidden: User "ann" cannot list resource "jobflows" in API group '
                '"flow.volcano.sh" in the namespace "default"'
            ),
            "list",
            "jobflows",
            "default",
        ),
        (
            'pods is forbidden: User "ann" cannot watch resource "pods" in API group "" at the cluster scope',
            "watch",
            "pods",
            "",
        ),
    ],
)
def test_a_refusal_names_the_missing_right(message: str, verb: str, resource: str, namespace: str) -> None:
    found = missing_right(message)
    assert found is not None
    assert (found.user, found.verb, found.resource, found.namespace) == ("ann", verb, resource, namespace)


def test_a_refusal_of_a_policy_names_no_right() -> None:
    assert missing_right('admission webhook "x" denied the request: too many flows') is None


@pytest.mark.parametrize("text", ["", "x", "secrets/a", "jobflows", "jobflows/a/b/c", "queues/a/b", "pods"])
def test_what_is_no_topic(text: str) -> None:
    assert parse_topic(text) is None


def test_the_steps_to_look_at_first_are_failures_and_some_that_are_under_way() -> None:
    phases = {**{f"f{number}": "Failed" for number in range(9)}, **{f"r{number}": "Running" for number in range(9)}}
    body = a_flow("f", dict.fromkeys(phases, ()))
    body["status"] = a_status("Running", phases)
    assert [step.name for step in front(flow_view(body).steps)] == ["f0", "f1", "f2", "f3", "f4", "r0", "r1", "r2"]
    body["status"] = a_status("Running", {name: phase for name, phase in phases.items() if phase == "Failed"})
    assert len(front(flow_view(body).steps)) == 8


def test_names_that_begin_alike_are_told_apart_in_pictures() -> None:
    names = [f"{'a-step-whose-name-says-everything-' * 2}{number}" for number in (1, 2)]
    cuts = {cut_name(name, 30) for name in names}
    assert len(cuts) == 2
    assert {len(each) for each in cuts} == {30}
    assert cut_name("short", 30) == "short"


@pytest.mark.parametrize(
    ("loop", "texts"),
    [
        ({"items": ["north", {"region": "eu", "tier": "1"}]}, {0: "north", 1: "region=eu, tier=1"}),
        (
            {"matrix": {"b": ["x", "y"], "a": ["1", "2"]}},
            {0: "a=1, b=x", 1: "a=1, b=y", 2: "a=2, b=x", 3: "a=2, b=y"},
        ),
        ({"range": {"start": 5, "end": 10, "step": 2}}, {0: "5", 1: "7", 2: "9"}),
        ({"range": {"start": 9, "end": 5, "step": -2}}, {0: "9", 1: "7"}),
        ({"expression": "params.x"}, {}),
        ({"while": "true"}, {}),
        ({"matrix": {"a": []}}, {}),
        ({}, {}),
    ],
)
def test_the_item_of_an_iteration_is_the_one_that_the_controller_takes(loop: Body, texts: dict[int, str]) -> None:
    assert item_texts(loop, range(7)) == texts
