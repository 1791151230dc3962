"""One cluster for all scenarios, a namespace for each."""

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.backends import Backend, chosen
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import JOBFLOWPOLICY
from tests.e2e.support.policies import here, known_to_the_webhook, policy
from tests.e2e.support.resources import RESOURCE_KINDS
from tests.e2e.support.scenario import Scenario

SPEED = 20.0
VERSION_BEFORE = "87ab25c9c3bee91710a8538627bb3ad36aec6e9c"
"""The last commit of chart 0.1.0, from which test_upgrade.py upgrades."""
_NUMBERS = itertools.count()


LONG = 600  # seconds for a scenario with its fixtures; each wait in it has an end of its own


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scenarios are marked by where they stand. A parallel run keeps each file on one worker (Makefile)."""
    for item in items:
        if "/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(LONG))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The embedded API server has no ValidatingAdmissionPolicies to compare with; a shallow clone has no version before."""
    real = config.getoption("--backend") in ("real", "kubeconfig")
    if collection_path.name == "test_upgrade.py":
        found = subprocess.run(["git", "cat-file", "-e", VERSION_BEFORE], capture_output=True, check=False)
        return True if found.returncode else None
    return True if collection_path.name == "test_kubernetes_cel.py" and not real else None


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    """What `--backend` or `--kubeconfig` name."""
    return chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))


@pytest.fixture(scope="session")
def cluster(backend: Backend) -> Iterator[LocalCluster]:
    """API server, webhook, controller and nodes on which `sleep 1` takes a twentieth of a second.

    The one controller needs no lease: a killed one's would keep its successor waiting for 15 s.
    """
    options = ClusterOptions(
        nodes=4,
        cpu="64",
        memory="256Gi",
        gpus=8,
        speed=SPEED,
        controller_args=("--no-leader-elect",),
        resource_kinds=RESOURCE_KINDS,
    )
    with LocalCluster(backend, options) as running:
        yield running


@pytest.fixture
def scenario(cluster: LocalCluster) -> Iterator[Scenario]:
    """A namespace of its own, with helpers for scenarios."""
    with cluster.namespace(f"e2e-{os.getpid()}-{next(_NUMBERS)}") as name:
        yield Scenario(cluster, name)


@pytest.fixture
def policies(scenario: Scenario) -> Iterator[Callable[..., None]]:
    """Make policies for this scenario's namespace alone, and wait until the webhook knows them."""
    made: list[str] = []

    def make(name: str, **spec: Any) -> None:
        name = f"{scenario.namespace}-{name}"
        match = {**spec.pop("match", {}), "namespaceSelector": here(scenario)}
        body = policy(name, match=match, **spec)
        made.append(name)
        scenario.cluster.kubectl.apply(body)
        known_to_the_webhook(scenario, name)

    yield make
    for name in made:
        scenario.kube.delete(JOBFLOWPOLICY, "", name)
