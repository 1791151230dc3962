"""About a minute of fault runs; `make chaos RUNS=500` runs more. The seeds cover every kind of fault."""

from collections.abc import Iterator

import pytest

from tests.chaos import report
from tests.chaos.chaos_cluster import ChaosCluster
from tests.chaos.faults import FAULTS
from tests.chaos.plan import draw
from tests.chaos.recording.phase_recorder import PhaseRecorder
from tests.chaos.runner import run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SEEDS = (19, 29, 79, 301, 344, 379, 416, 462, 469, 488)
INJECTED: dict[str, int] = {}  # by fault


@pytest.fixture(scope="module")
def cluster() -> Iterator[ChaosCluster]:
    with ChaosCluster() as running:
        yield running


@pytest.fixture(scope="module")
def recorder(cluster: ChaosCluster) -> Iterator[PhaseRecorder]:
    with PhaseRecorder(cluster.kubeconfig) as watching:
        yield watching


@pytest.mark.parametrize("seed", SEEDS)
def test_invariants_hold_after_faults(cluster: ChaosCluster, recorder: PhaseRecorder, seed: int) -> None:
    result = run(cluster, recorder, draw(seed))
    INJECTED.update({f"{seed}-{key}": times for key, times in result.injected.items()})
    assert not result.violations, f"{report.line(1, result)}\nrepeat: {report.repeat_command(result)}\n{result.words}"


def test_every_fault_took_effect(cluster: ChaosCluster) -> None:
    """Not all of them: a flow may have ended before its fault."""
    done = [times for times in INJECTED.values() if times]
    assert len(done) >= len(INJECTED) / 2, INJECTED


def test_the_seeds_cover_every_fault() -> None:
    assert {each.fault for seed in SEEDS for each in draw(seed).faults} == set(FAULTS)
