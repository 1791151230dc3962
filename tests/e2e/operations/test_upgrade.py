"""An upgrade from the previous version to this one and back, under load: nothing is lost, nothing runs twice, no apply
fails. The previous version is taken from the history of the repository. Where that is not there (a shallow clone),
this file is left out; tests/webhook/test_stored_objects.py judges stored objects of that version everywhere.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from local.backends import Backend
from local.client.blocking import BlockingClient, path, until
from local.client.rest import RestError
from local.cluster import KINDS
from local.ports import free_port
from release.source import check_out
from shared.kinds import COMMAND, CRD, JOB, JOBFLOW, JOBFLOWPOLICY, JOBTEMPLATE, PODGROUP, QUEUE, Kind
from shared.model.types import Body
from tests.e2e.conftest import VERSION_BEFORE
from tests.e2e.support.applies import Applies
from tests.e2e.support.balancer import Balancer
from tests.e2e.support.installation import Installation
from tests.e2e.support.scenario import Scenario, jobflow, phase

FLOWS: Final = 8
STEPS: Final = {"a": (), "b": ("a",), "c": ("b",), "d": ("b",)}
PATIENCE: Final = 180.0
STORED: Final = (JOBFLOW, JOBTEMPLATE, JOB, PODGROUP, QUEUE, JOBFLOWPOLICY, COMMAND)
OF_THE_SERVER: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
POLICY: Final[Body] = {
    "apiVersion": JOBFLOWPOLICY.api_version,
    "kind": "JobFlowPolicy",
    "metadata": {"name": "some-flows"},
    "spec": {"limits": {"maxRunningFlows": 500}, "defaults": {"jobRetainPolicy": "retain"}},
}


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The files of the version before."""
    check_out(Path.cwd(), VERSION_BEFORE, tmp_path)
    return tmp_path


@pytest.fixture
def old(backend: Backend, before: Path) -> Iterator[tuple[Installation, Balancer]]:
    """The version before, installed with its own CRDs, at work."""
    with Installation(backend) as installation, Balancer(installation.port, installation.cluster.ready) as balancer:
        for crd in installation.kube.list(CRD):
            installation.kube.delete(CRD, "", crd["metadata"]["name"])
            installation.kube.wait_gone(CRD, "", crd["metadata"]["name"])
        installation.source = before
        installation.install()
        start(installation, balancer, "old")
        installation.await_checked("webhook-old")
        yield installation, balancer


def start(installation: Installation, balancer: Balancer, name: str) -> None:
    """A webhook and a controller of the version in force. The controller stands by while another one leads."""
    port = free_port()
    installation.start("webhook", f"webhook-{name}", port=port)
    installation.start("controller", f"controller-{name}")
    for component in ("webhook", "controller"):
        installation.cluster.await_ready(f"{component}-{name}", PATIENCE)
    balancer.add(f"webhook-{name}", port)
    until(lambda: balancer.serves(f"webhook-{name}"), PATIENCE, lambda: "the Service does not use the new webhook")


def stop(installation: Installation, name: str) -> None:
    for component in ("webhook", "controller"):
        assert installation.cluster.processes[f"{component}-{name}"].stop(60) == 0


def populate(scenario: Scenario, before: Path) -> None:
    """Objects of every kind that the version before has: its examples, flows that run, one that is suspended."""
    namespace = {"metadata": {"namespace": scenario.namespace}}
    scenario.cluster.apply(
        {"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": "team"}, "spec": {"weight": 2}}
    )
    for file in sorted((before / "examples").glob("[fj]*s/*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            scenario.kube.apply(
                kind_of(document), {**document, "metadata": document["metadata"] | namespace["metadata"]}
            )
    scenario.cluster.apply(POLICY)
    scenario.flow("held", {"a": (), "b": ("a",)}, suspend=True)
    create(scenario, "first")
    until(lambda: len(scenario.jobs()) > FLOWS, PATIENCE, lambda: "no Jobs")


def kind_of(document: Body) -> Kind:
    return next(kind for kind in KINDS if (kind.api_version, kind.kind) == (document["apiVersion"], document["kind"]))


def create(scenario: Scenario, name: str) -> None:
    for number in range(FLOWS):
        scenario.kube.create(JOBFLOW, jobflow(scenario.namespace, f"{name}-{number}", STEPS))


def stored(installation: Installation) -> dict[tuple[str, str, str], Body]:
    """Every object of ours: kind, namespace, name -> body."""
    found = {}
    for kind in STORED:
        for body in installation.kube.list(kind):
            meta = body["metadata"]
            whole = body | {"apiVersion": kind.api_version, "kind": kind.kind}
            found[kind.kind, meta.get("namespace", ""), meta["name"]] = whole
    return found


def refused_applies(installation: Installation) -> dict[str, str]:
    """The refusals of strict applies of every object as it is stored."""
    refused = {}
    for body in stored(installation).values():
        meta = {key: value for key, value in body["metadata"].items() if key not in OF_THE_SERVER}
        applied = {key: value for key, value in body.items() if key != "status"} | {"metadata": meta}
        where = path(kind_of(body), meta.get("namespace", ""), meta["name"])
        query = "dryRun=All&fieldManager=test&force=true&fieldValidation=Strict"
        try:
            installation.kube.request("PATCH", f"{where}?{query}", applied, "application/apply-patch+yaml")
        except RestError as error:
            refused[f"{body['kind']} {meta['name']}"] = error.message
    return refused


def all_succeed(scenario: Scenario, name: str) -> None:
    def look() -> bool:
        return all(phase(scenario.get(f"{name}-{number}")) == "Succeed" for number in range(FLOWS))

    until(
        look,
        PATIENCE,
        lambda: str({f["metadata"]["name"]: f.get("status") for f in scenario.kube.list(JOBFLOW)})[:3000],
    )


def identities(objects: dict[tuple[str, str, str], Body]) -> dict[tuple[str, str, str], Any]:
    """Of objects that nobody deletes: those that people made, without flows that delete themselves after a time."""
    return {
        key: body["metadata"]["uid"]
        for key, body in objects.items()
        if key[0] in ("JobFlow", "JobTemplate", "Queue", "JobFlowPolicy")
        and "ttlSecondsAfterFinished" not in body["spec"]
    }


def test_an_upgrade_and_a_rollback_lose_nothing(old: tuple[Installation, Balancer], before: Path) -> None:
    installation, balancer = old
    with contextlib.ExitStack() as running:
        namespace = running.enter_context(installation.cluster.namespace("upgraded"))
        scenario = Scenario(installation.cluster, namespace)
        installation.cluster.await_service_account(namespace)
        scenario.templates("a", "b", "c", "d", seconds=40)
        seen = running.enter_context(scenario.recorded(relist=True))
        with Applies(BlockingClient(installation.cluster.kubeconfig), workers=2) as load:
            load.await_more(5)
            populate(scenario, before)
            known = identities(stored(installation))

            installation.source = Path()
            installation.upgrade()
            installation.reach_webhook()
            start(installation, balancer, "new")
            stop(installation, "old")
            load.await_more(20)
            assert refused_applies(installation) == {}
            all_succeed(scenario, "first")

            create(scenario, "second")
            until(lambda: any("second" in name for name in scenario.jobs()), PATIENCE, lambda: "no Jobs")
            installation.helm("rollback", "1")
            installation.reach_webhook()
            installation.source = before
            start(installation, balancer, "back")
            stop(installation, "new")
            load.await_more(20)
            all_succeed(scenario, "second")
            scenario.kube.patch(JOBFLOW, namespace, "held", {"spec": {"suspend": False}})
            scenario.succeeds("held", PATIENCE)
        found = identities(stored(installation))
        wanted = {
            f"{name}-{number}-{step}": 1 for name in ("first", "second") for number in range(FLOWS) for step in STEPS
        }
        created = seen.creations()
        assert {job: created.get(job) for job in wanted} == wanted
        assert {key: found.get(key) for key in known} == known
        assert refused_applies(installation) == {}
        assert load.faults == []
