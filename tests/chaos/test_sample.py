"""About a minute of the fault runs; `make chaos RUNS=500` is the long mode. The seeds cover every kind of harm."""

from collections.abc import Iterator

import pytest

from tests.chaos import report
from tests.chaos.faults import HARMS
from tests.chaos.plan import draw
from tests.chaos.runner import run
from tests.chaos.witness import PhaseRecorder
from tests.chaos.world import ChaosCluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SEEDS = (2, 3, 5, 6, 124, 140, 174)
STRUCK: dict[str, int] = {}  # by harm


@pytest.fixture(scope="module")
def world() -> Iterator[ChaosCluster]:
    with ChaosCluster() as running:
        yield running


@pytest.fixture(scope="module")
def witness(world: ChaosCluster) -> Iterator[PhaseRecorder]:
    with PhaseRecorder(world.kubeconfig) as watching:
        yield watching


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_done_to_it_it_comes_to_the_right_end(
    world: ChaosCluster, witness: PhaseRecorder, seed: int
) -> None:
    result = run(world, witness, draw(seed))
    STRUCK.update({f"{seed}-{key}": times for key, times in result.struck.items()})
    assert not result.complaints, f"{report.line(1, result)}\nagain: {report.again(result)}\n{result.words}"


def test_the_harms_did_harm(world: ChaosCluster) -> None:
    """Not each of them each time: a flow may be over before. But most."""
    done = [times for times in STRUCK.values() if times]
    assert len(done) >= len(STRUCK) / 2, STRUCK


def test_the_seeds_cover_every_harm() -> None:
    assert {each.harm for seed in SEEDS for each in draw(seed).harms} == set(HARMS)
