"""Two replicas of each component: what happens to flows and to applies when one of them is killed, stops or is
replaced."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from local.backends import Backend
from local.client.blocking import BlockingClient, until
from local.ports import free_port
from shared.kinds import JOB, JOBFLOW, LEASE, SECRET
from tests.e2e.support.applies import Applies
from tests.e2e.support.balancer import Balancer
from tests.e2e.support.installation import NAME, NAMESPACE, Installation
from tests.e2e.support.scenario import ENDED, Scenario, jobflow, phase

FLOWS = 100
PAIR = ("one", "two")
PATIENCE = 120.0  # for an overloaded machine; otherwise a takeover takes about 10 s


@pytest.fixture
def pair(backend: Backend) -> Iterator[Installation]:
    """A webhook and two controllers that share the chart's lease."""
    with Installation(backend) as installation:
        installation.install()
        installation.start("webhook")
        for name in PAIR:
            installation.start("controller", name)
        for name in ("webhook", *PAIR):
            installation.cluster.await_ready(name, PATIENCE)
        installation.await_checked()
        yield installation


def leader(installation: Installation) -> str:
    """The process that holds the lease by its own account."""
    metric = f'leader_election_master_status{{name="{NAME}-controller"}} 1.0'
    for name in PAIR:
        with contextlib.suppress(OSError):  # it has just ended
            if metric in installation.cluster.metrics(name):
                return name
    return ""


def holder(installation: Installation) -> str:
    return str((installation.kube.find(LEASE, NAMESPACE, f"{NAME}-controller") or {})["spec"].get("holderIdentity", ""))


def ended(scenario: Scenario) -> list[str]:
    return [phase(flow) for flow in scenario.kube.list(JOBFLOW, scenario.namespace) if phase(flow) in ENDED]


def _progress(scenario: Scenario) -> list[str]:
    """The versions of all flows and Jobs: they change with whatever the leader writes."""
    bodies = [*scenario.kube.list(JOBFLOW, scenario.namespace), *scenario.kube.list(JOB, scenario.namespace)]
    return sorted(f"{body['metadata']['uid']} {body['metadata']['resourceVersion']}" for body in bodies)


def tend(installation: Installation) -> None:
    """As a kubelet would: restart processes that have ended. On an overloaded machine a leader that cannot renew its
    lease exits."""
    processes = installation.cluster.processes
    for name in PAIR:
        if name not in processes or not processes[name].running:
            installation.start("controller", name)


def leading(installation: Installation) -> tuple[str, str]:
    """The leader and the standby, both ready."""

    def look() -> str:
        tend(installation)
        return leader(installation) if all(map(installation.cluster.ready, PAIR)) else ""

    first = until(look, PATIENCE, lambda: "nobody leads")
    return first, next(name for name in PAIR if name != first)


def test_a_leader_that_is_killed_is_replaced_and_no_job_runs_twice(
    pair: Installation, record_property: Callable[[str, object], None]
) -> None:
    """How soon is proved with a clock of the test's own (tests/controller/cluster/test_lease.py); here it is recorded."""
    with pair.cluster.namespace("many") as namespace:
        scenario = Scenario(pair.cluster, namespace)
        pair.cluster.await_service_account(namespace)
        scenario.templates("a", "b", seconds=30)
        with scenario.recorded() as seen:
            for number in range(FLOWS):
                scenario.kube.create(JOBFLOW, jobflow(namespace, f"f{number}", {"a": (), "b": ("a",)}))
            until(lambda: len(scenario.kube.list(JOB, namespace)) > FLOWS // 2, PATIENCE, lambda: "no Jobs")
            first, second = leading(pair)
            dead = holder(pair)
            assert len(ended(scenario)) < FLOWS
            pair.cluster.kill_controller(name=first)
            died = time.monotonic()
            until(lambda: holder(pair) != dead, PATIENCE, lambda: f"{second} does not take over from {first}")
            record_property("takeover seconds", round(time.monotonic() - died, 1))
            known = _progress(scenario)
            until(lambda: _progress(scenario) != known, PATIENCE, lambda: f"{second} makes no progress")
            record_property("first progress seconds", round(time.monotonic() - died, 1))

            def all_ended() -> bool:
                tend(pair)
                return len(ended(scenario)) == FLOWS

            until(all_ended, 300, lambda: f"{len(ended(scenario))} have ended")
            assert set(ended(scenario)) == {"Succeed"}
            assert seen.creations() == {f"f{number}-{step}": 1 for number in range(FLOWS) for step in "ab"}


def test_a_leader_that_stops_leaves_the_lease_to_the_other_at_once(pair: Installation) -> None:
    """It releases the lease when it exits, so that the other need not wait for the expiry."""
    first, _ = leading(pair)
    stopping = holder(pair)
    assert pair.cluster.processes[first].stop(60) == 0
    until(lambda: holder(pair) not in (stopping, ""), PATIENCE, lambda: "the leader that stopped left no successor")
    assert "released" in pair.cluster.logs(first)


@pytest.fixture
def balanced(backend: Backend) -> Iterator[tuple[Installation, Balancer]]:
    """Two webhooks behind one Service; no controller."""
    with Installation(backend) as installation, Balancer(installation.port, installation.cluster.ready) as balancer:
        installation.install()
        for name in PAIR:
            replica(installation, balancer, name)
        installation.await_checked("one")
        yield installation, balancer


def replica(installation: Installation, balancer: Balancer, name: str) -> None:
    """One more webhook, ready and known to the Service."""
    port = free_port()
    installation.start("webhook", name, port=port)
    installation.cluster.await_ready(name, PATIENCE)
    balancer.add(name, port)


def test_both_webhooks_are_replaced_one_after_the_other_and_no_apply_fails(
    balanced: tuple[Installation, Balancer],
) -> None:
    installation, balancer = balanced
    with Applies(BlockingClient(installation.cluster.kubeconfig)) as load:
        for name in PAIR:
            replica(installation, balancer, f"new-{name}")
            assert installation.cluster.processes[name].stop(60) == 0
        load.await_more(50)
    assert load.faults == []


def test_after_one_of_two_webhooks_is_killed_applies_fail_only_until_the_service_uses_the_other(
    balanced: tuple[Installation, Balancer], record_property: Callable[[str, object], None]
) -> None:
    """An API server does not repeat a POST, so requests that the killed webhook was answering are refused."""
    installation, balancer = balanced
    with Applies(BlockingClient(installation.cluster.kubeconfig)) as load:
        load.await_more(20)
        installation.cluster.processes["one"].signal(signal.SIGKILL)
        until(lambda: not balancer.serves("one"), PATIENCE, lambda: "the Service still leads to the killed webhook")
        load.await_more(20)  # requests that were on their way have come back
        faults = len(load.faults)
        load.await_more(50)
        assert load.faults[faults:] == []
    record_property("refused applies", len(load.faults))
    assert all("failed calling webhook" in fault for fault in load.faults)


def test_no_apply_fails_when_the_certificate_secret_is_deleted(balanced: tuple[Installation, Balancer]) -> None:
    installation, _ = balanced
    secret = f"{NAME}-webhook-certs"
    before = installation.bundles()
    with Applies(BlockingClient(installation.cluster.kubeconfig)) as load:
        load.await_more(20)
        installation.kube.delete(SECRET, NAMESPACE, secret)
        until(lambda: installation.kube.find(SECRET, NAMESPACE, secret) is not None, PATIENCE, lambda: "no new Secret")
        until(lambda: installation.bundles() != before, PATIENCE, lambda: "the new CA is not injected")
        load.await_more(200)
    assert load.faults == []
    (old,), (new,) = before, installation.bundles()
    assert old in new
