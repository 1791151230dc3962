"""The objects of loads, and that all documented loads exist."""

from collections.abc import Mapping

import pytest

from bench import bodies
from bench.bodies import Graph
from bench.https import length
from bench.loads import LOADS, gang_rounds
from bench.loads.admission import path, subjects
from bench.peer import FLOWS, PODS, Other, Ours, sides
from bench.report import OURS, PEER
from bench.reviews import review
from controller.gang.cycle.memory import CycleMemory
from controller.gang.cycle.scheduling_cycle import run_cycle
from controller.gang.settings import AdmissionSettings
from webhook.envelope.review import parse_review
from webhook.server.routes import ROUTES

SHAPES: dict[str, tuple[Graph, int, int]] = {
    "a chain": (bodies.chain(4), 4, 3),
    "independent steps": (bodies.independent(3), 3, 0),
    "layers": (bodies.layers(3), 6, 8),
    "the seed's diamond": (bodies.DIAMOND, 5, 5),
}


@pytest.mark.parametrize(("graph", "steps", "edges"), SHAPES.values(), ids=SHAPES)
def test_the_flows_of_the_loads_have_the_expected_graphs(graph: Graph, steps: int, edges: int) -> None:
    assert len(graph) == steps
    assert sum(len(targets) for targets in graph.values()) == edges
    assert all(target in graph for targets in graph.values() for target in targets)


def test_gang_cycles_admit_the_expected_number_of_groups() -> None:
    for full, wanted in ((True, 0), (False, 7)):
        snapshot = gang_rounds.filled_cache(full, nodes=10, groups=20).snapshot()
        done = run_cycle(snapshot, CycleMemory(), AdmissionSettings(), gang_rounds.NOW)
        assert len(done.admitted) == wanted  # 7 pods a node at most, 10 a group


def test_all_loads_exist() -> None:
    assert list(LOADS) == list("abcdefghijklmnopqr")


@pytest.mark.parametrize("verb", ["mutate", "validate"])
@pytest.mark.parametrize("kind", ["JobFlow", "Job"])
def test_reviews_are_sent_to_paths_of_the_webhook(kind: str, verb: str) -> None:
    assert path(kind, verb).partition("?")[0] in {route.path for route in ROUTES}


@pytest.mark.parametrize("name", subjects())
def test_a_review_is_of_a_creation(name: str) -> None:
    parsed = parse_review(review(subjects()[name]))
    assert parsed.operation == "CREATE"
    assert parsed.object == subjects()[name]


ENVIRONMENTS: dict[str, tuple[Mapping[str, str], list[str]]] = {
    "no peer": ({}, [OURS]),
    "a peer": ({"BENCH_PEER": "/x/other --kubeconfig={kubeconfig}"}, [OURS, PEER]),
}


@pytest.mark.parametrize(("environ", "wanted"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_measured_processes(environ: Mapping[str, str], wanted: list[str]) -> None:
    assert [side.name for side in sides(environ)] == wanted


def test_requests_of_a_peer_are_identified_by_its_program_name() -> None:
    peer = sides({"BENCH_PEER": "/x/other -v", "BENCH_PEER_PODS": "/x/other --all"})[1]
    assert peer == Other({FLOWS: "/x/other -v", PODS: "/x/other --all"}, "other")
    assert sides({"BENCH_PEER": "/x/other", "BENCH_PEER_AGENT": "else"})[1].agent == "else"


@pytest.mark.parametrize(("access", "in_pod"), [("", False), ("kubeconfig", False), ("pod", True)])
def test_our_controller_has_a_service_account_if_that_is_asked_for(access: str, in_pod: bool) -> None:
    (ours,) = sides({"BENCH_ACCESS": access})
    assert isinstance(ours, Ours)
    assert ours.in_pod is in_pod


def test_the_length_of_a_response_is_read_from_its_header() -> None:
    assert length(b"HTTP/1.1 200 OK\r\nCONTENT-LENGTH:  12\r\n\r\n") == 12
    with pytest.raises(LookupError):
        length(b"HTTP/1.1 200 OK\r\n\r\n")
