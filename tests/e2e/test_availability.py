"""Two of each: what happens to flows and to people's applies when one of them dies, stops or is replaced."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import pytest

from shared.kinds import JOB, JOBFLOW, LEASE
from tests.cluster.backends import Embedded, chosen
from tests.cluster.controlplane import free_port
from tests.cluster.kube import Kube, until
from tests.cluster.nodes.client import ApiError
from tests.e2e.installation import NAME, NAMESPACE, Installation
from tests.e2e.scenario import ENDED, Scenario, jobflow, phase

Body = dict[str, Any]
FLOWS = 100
PAIR = ("one", "two")
TAKEOVER = 15.0  # what the operator is promised


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A webhook and two controllers that share the chart's lease."""
    backend = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    with Installation(backend) as installation:
        installation.install()
        installation.start("webhook")
        for name in PAIR:
            installation.start("controller", name)
        for name in ("webhook", *PAIR):
            installation.cluster.await_ready(name)
        installation.await_checked()
        yield installation


def leader(installation: Installation) -> str:
    """The process that holds the lease by its own account."""
    metric = f'leader_election_master_status{{name="{NAME}-controller"}} 1.0'
    running = [name for name in PAIR if name in installation.cluster.processes]
    return next((name for name in running if metric in installation.cluster.metrics(name)), "")


def holder(installation: Installation) -> str:
    return str((installation.kube.find(LEASE, NAMESPACE, f"{NAME}-controller") or {})["spec"].get("holderIdentity", ""))


def ended(scenario: Scenario) -> list[str]:
    return [phase(flow) for flow in scenario.kube.list(JOBFLOW, scenario.namespace) if phase(flow) in ENDED]


def test_a_leader_that_is_killed_or_stopped_is_replaced_and_no_job_runs_twice(pair: Installation) -> None:
    first = until(lambda: leader(pair), 30, lambda: "nobody leads")
    second = next(name for name in PAIR if name != first)
    with pair.cluster.namespace("many") as namespace:
        scenario = Scenario(pair.cluster, namespace)
        pair.cluster.await_service_account(namespace)
        scenario.templates("a", "b", seconds=30)
        with scenario.recorded() as seen:
            for number in range(FLOWS):
                scenario.kube.create(JOBFLOW, jobflow(namespace, f"f{number}", {"a": (), "b": ("a",)}))
            until(lambda: len(scenario.kube.list(JOB, namespace)) > FLOWS // 2, 60, lambda: "no Jobs")
            dead = holder(pair)
            assert len(ended(scenario)) < FLOWS
            pair.cluster.kill_controller(name=first)
            pair.cluster.processes.stop(first)
            until(lambda: holder(pair) != dead, TAKEOVER, lambda: "nobody takes over from a leader that was killed")
            until(lambda: len(ended(scenario)) == FLOWS, 200, lambda: f"{len(ended(scenario))} have ended")
            assert set(ended(scenario)) == {"Succeed"}
            assert seen.creations() == {f"f{number}-{step}": 1 for number in range(FLOWS) for step in "ab"}
    pair.start("controller", first)
    pair.cluster.await_ready(first)
    stopping = holder(pair)
    assert pair.cluster.processes[second].stop(30) == 0
    until(lambda: holder(pair) not in (stopping, ""), 5, lambda: "the leader that stopped left no successor")


class Applies:
    """People who apply without pause, in threads; each fault is kept."""

    def __init__(self, kube: Kube, workers: int = 4) -> None:
        self.done, self.faults = 0, list[str]()
        self._kube, self._stop = kube, threading.Event()
        self._workers = workers

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self._workers)
        self._running = [self._pool.submit(self._apply, number) for number in range(self._workers)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for each in self._running:
            each.result(30)
        self._pool.shutdown()

    def _apply(self, number: int) -> None:
        where = f"/apis/{JOBFLOW.api_version}/namespaces/default/jobflows?dryRun=All"
        body = jobflow("default", f"load-{number}", {"a": (), "b": ("a",)})
        while not self._stop.is_set():
            try:
                self._kube.request("POST", where, body)
                self.done += 1
            except ApiError as error:
                self.faults.append(str(error))


class Endpoints:
    """What a cluster does for a Service: sends to a replica that says it is ready, and notices a change a little late."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._ports: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def add(self, name: str) -> None:
        port = free_port()
        self._installation.start("webhook", name, port=port)
        self._installation.cluster.await_ready(name)
        self._ports[name] = port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _follow(self) -> None:
        chance = random.Random(1)
        while not self._stop.is_set():
            ready = [name for name in list(self._ports) if self._installation.cluster.ready(name)]
            time.sleep(0.3)
            if ready:
                address = f"127.0.0.1:{self._ports[chance.choice(ready)]}"
                self._installation.testing("PUT", "services", {f"{NAMESPACE}/{NAME}-webhook": address})


def test_both_webhooks_are_replaced_one_after_the_other_and_no_apply_fails() -> None:
    """Always on the embedded server: it can be told where a Service leads."""
    with Installation(Embedded()) as installation:
        installation.install()
        with Endpoints(installation) as endpoints:
            for name in ("old-1", "old-2"):
                endpoints.add(name)
            installation.await_checked()
            with Applies(Kube(installation.cluster.kubeconfig)) as load:
                for number in (1, 2):
                    endpoints.add(f"new-{number}")
                    assert installation.cluster.processes[f"old-{number}"].stop(40) == 0
            assert load.faults == []
            assert load.done > 50
