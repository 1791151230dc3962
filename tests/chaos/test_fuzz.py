"""A short sample of the hostile input; `python -m tests.chaos.fuzz --minutes 10` is the long one."""

import json
from collections.abc import Iterator

import pytest

from local.cluster import ClusterOptions, LocalCluster
from tests.chaos.fuzz import connections, corpus
from tests.chaos.fuzz.batches import batch, every_bomb
from tests.chaos.fuzz.bombs import bombs
from tests.chaos.fuzz.target import Target
from webhook.server.routes import ROUTES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
IDLE, SLOW = 1000, 100


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with LocalCluster(options=ClusterOptions(nodes=0, controller=False)) as cluster:
        yield Target(cluster)


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_reviews_are_answered_without_a_failure(target: Target, seed: int) -> None:
    batch(target, seed, 100)
    serves(target)


def test_oversized_reviews_are_answered_quickly(target: Target) -> None:
    assert list(every_bomb(target)) == []
    serves(target)


def test_every_kind_is_fuzzed() -> None:
    assert {route.path for route, _ in corpus.objects()} == {route.path for route in ROUTES}
    assert {route.path for _, route, _ in bombs()} == {
        f"/{kind}/{verb}" for kind in ("jobflows", "jobtemplates", "jobs") for verb in ("mutate", "validate")
    }


def test_valid_objects_of_the_corpus_are_accepted(target: Target) -> None:
    """Else the mutations would start from what is refused at once, and never come far."""
    for body in (corpus.flow_with_everything(), corpus.job()):
        route = next(each for each in ROUTES if each.kind.kind == body["kind"] and not each.mutating)
        status, answer = target.ask(route, json.dumps(corpus.review(route, body)).encode())
        assert status == 200
        assert json.loads(answer)["response"]["allowed"], json.loads(answer)["response"]


@pytest.mark.parametrize("tls", [False, True], ids=["before the handshake", "after it"])
def test_a_request_is_answered_beside_a_thousand_idle_connections(target: Target, tls: bool) -> None:
    with connections.idle(target, IDLE, tls=tls):
        serves(target)
    serves(target)


def test_clients_that_send_byte_by_byte_do_not_block_others(target: Target) -> None:
    with connections.slow(target, SLOW):
        for _ in range(5):
            serves(target)
    serves(target)


def serves(target: Target) -> None:
    """A fresh connection gets a right answer."""
    fresh = Target(target.cluster)
    route = next(each for each in ROUTES if each.path == "/jobflows/validate")
    status, body = fresh.ask(route, json.dumps(corpus.review(route, corpus.flow_with_everything())).encode())
    assert status == 200
    assert json.loads(body)["response"]["allowed"]
