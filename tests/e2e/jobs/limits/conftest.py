"""One cluster for all tests of limits, a namespace for each, and a queue for two CPUs."""

import itertools
from collections.abc import Iterator
from typing import Final

import pytest

from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import NAMESPACE, QUEUE
from tests.e2e.jobs.conftest import BindingBackend
from tests.e2e.jobs.limits.workloads import delete_jobs

_NUMBERS: Final = itertools.count()


@pytest.fixture(scope="package")
def cluster(binding: BindingBackend) -> Iterator[LocalCluster]:
    """Two nodes of four CPUs."""
    backend, arguments = binding
    options = ClusterOptions(
        nodes=2,
        cpu="4",
        memory="32Gi",
        speed=8.0,
        nodes_args=arguments,
        controller_args=("--no-leader-elect", "--gang-bind-timeout=4s"),
    )
    with LocalCluster(backend, options) as running:
        yield running


@pytest.fixture
def namespace(cluster: LocalCluster) -> Iterator[str]:
    """One for each test, whose pods are gone afterwards."""
    name = f"limits-{next(_NUMBERS)}"
    cluster.kube.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster.await_service_account(name)
    yield name
    delete_jobs(cluster, name)
    cluster.kube.delete(NAMESPACE, "", name)


@pytest.fixture
def small_queue(cluster: LocalCluster) -> Iterator[str]:
    """A queue that may use two CPUs."""
    name = f"small-{next(_NUMBERS)}"
    spec = {"capability": {"cpu": "2"}}
    cluster.apply({"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": name}, "spec": spec})
    cluster.kube.wait(QUEUE, "", name, lambda queue: (queue.get("status") or {}).get("state") == "Open")
    yield name
    cluster.kube.delete(QUEUE, "", name)
