"""A local cluster, and the command that uses it."""

from collections.abc import Iterator

import pytest

from local.cluster import ClusterOptions, LocalCluster
from tests.cli.live.make import NAMESPACE, SPEED, Live
from tests.cli.make import CliCommand
from tests.e2e.support.scenario import template


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    options = ClusterOptions(nodes=2, cpu="64", memory="64Gi", speed=SPEED, controller_args=("--no-leader-elect",))
    with LocalCluster(options=options) as running, running.namespace(NAMESPACE):
        running.apply(template(NAMESPACE, "quick", 1, replicas=2), template(NAMESPACE, "slow", 2000))
        running.apply(template(NAMESPACE, "bad", 1, code=3))
        yield running


@pytest.fixture
def live(cluster: LocalCluster, command: CliCommand, monkeypatch: pytest.MonkeyPatch) -> Live:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    return lambda *arguments: command(*arguments, "-n", NAMESPACE)
