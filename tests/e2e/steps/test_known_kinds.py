"""Every kind whose conditions are known, by its example: created by a step, with the statuses that its operator writes."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from local.backends import chosen
from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import CRD, JOBFLOW, Kind
from shared.model.types import Body
from shared.resource_steps.known_kinds import KNOWN_KINDS
from tests.e2e.flows.test_resources import command
from tests.e2e.support.resources import await_object, definition
from tests.e2e.support.scenario import Scenario, phase, step_of
from tests.shared.podtemplate.kubelet import expand
from tests.shared.resource_steps.test_conditions import FAILURE, SUCCESS

EXAMPLES: Final = sorted(Path("examples/resources").glob("*.yaml"))


def flow_in(file: Path) -> Body:
    found: Body = yaml.safe_load(file.read_text())
    return found


def kind_in(file: Path) -> Kind:
    manifest = flow_in(file)["spec"]["flows"][0]["resource"]["manifest"]
    return Kind(manifest["apiVersion"], manifest["kind"], f"{manifest['kind'].lower()}s")


KINDS: Final = {file.stem: kind_in(file) for file in EXAMPLES}


@pytest.fixture(scope="module")
def operated(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    """A cluster with minimal definitions of the kinds."""
    backend = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    allowed = [{"apiVersion": one.api_version, "kind": one.kind, "resource": one.plural} for one in KINDS.values()]
    options = ClusterOptions(nodes=1, speed=20.0, controller_args=("--no-leader-elect",), resource_kinds=allowed)
    with LocalCluster(backend, options) as cluster:
        for kind in KINDS.values():
            if kind.group != "batch":
                cluster.kube.apply(CRD, definition(kind))
        yield cluster


@pytest.fixture(params=EXAMPLES, ids=[file.stem for file in EXAMPLES])
def kind(request: pytest.FixtureRequest, operated: LocalCluster) -> Iterator["OneKind"]:
    file: Path = request.param
    with operated.namespace(f"kind-{file.stem}-{time.monotonic_ns()}") as namespace:
        yield OneKind(Scenario(operated, namespace), file)


class OneKind:
    """The example of a kind in a namespace, and what its operator would write."""

    def __init__(self, scenario: Scenario, file: Path) -> None:
        self.scenario = scenario
        self.kind = KINDS[file.stem]
        self.body = flow_in(file)
        if self.kind.group == "batch":  # a real cluster has its operator
            self.body["spec"]["flows"][0]["resource"]["manifest"]["spec"]["managedBy"] = "test.jobflow.dev/nobody"
        self.flow = self.body["metadata"]["name"]

    def applied(self, name: str, **spec: Any) -> str:
        """A flow of that name, and the name of its first object."""
        metadata = {"name": name, "namespace": self.scenario.namespace}
        self.scenario.kube.apply(JOBFLOW, {**self.body, "metadata": metadata, "spec": {**self.body["spec"], **spec}})
        return f"{name}-train"

    def objects(self) -> set[str]:
        return {one["metadata"]["name"] for one in self.scenario.kube.list(self.kind, self.scenario.namespace)}

    def reports(self, name: str, status: Body) -> None:
        await_object(self.scenario, self.kind, name)
        self.scenario.kube.patch(self.kind, self.scenario.namespace, name, {"status": status}, "status")

    def succeeds(self, name: str) -> None:
        self.reports(name, operated_status(self.kind, SUCCESS))

    def fails(self, name: str) -> None:
        self.reports(name, operated_status(self.kind, FAILURE))

    def gone(self) -> None:
        until(lambda: not self.objects(), 90, lambda: str(self.objects()))


def operated_status(kind: Kind, table: dict[str, dict[str, Any]]) -> Body:
    """The status; a real API server also wants what Kubernetes' own Job controller writes with it."""
    status = table[kind.kind]
    if kind.group != "batch":
        return status
    ended, before = ("Complete", "SuccessCriteriaMet") if table is SUCCESS else ("Failed", "FailureTarget")
    moment = "2026-01-01T00:00:00Z"
    conditions = [
        {"type": one, "status": "True", "message": "why", "reason": "x", "lastTransitionTime": moment}
        for one in (before, ended)
    ]
    times = {"startTime": moment} | ({"completionTime": moment} if table is SUCCESS else {})
    return {"conditions": conditions, **times}


def test_every_known_kind_has_an_example() -> None:
    assert {(one.group, one.kind) for one in KINDS.values()} == set(KNOWN_KINDS)


def test_an_object_is_made_with_values_and_its_success_completes_the_step(kind: OneKind) -> None:
    name = kind.applied("good")
    made = await_object(kind.scenario, kind.kind, name)
    assert "$(params" not in str(made)
    kind.scenario.reaches("good", "train", "Pending" if kind.kind.group == "batch" else "Running")
    kind.succeeds(name)
    kind.scenario.succeeds("good")
    kind.scenario.kube.delete(JOBFLOW, kind.scenario.namespace, "good")
    kind.gone()


def test_a_failure_makes_a_new_object_once_and_the_retain_policy_deletes_all(kind: OneKind) -> None:
    retry = {"limit": 1, "backoff": {"duration": "1s"}}
    steps = [{**kind.body["spec"]["flows"][0], "retry": retry}]
    name = kind.applied("again", flows=steps, jobRetainPolicy="delete")
    kind.fails(name)
    kind.succeeds(f"{name}-r1")
    flow = kind.scenario.succeeds("again")
    assert step_of(flow, "train")["attempts"] == 2
    kind.gone()
    name = kind.applied("bad", flows=[{**steps[0], "retry": {"limit": 0}}])
    kind.fails(name)
    flow = kind.scenario.ended("bad")
    step = step_of(flow, "train")
    assert (phase(flow), step["reason"]) == ("Failed", "ResourceFailed")
    assert f"{kind.kind.kind} {name} has failed: why" in step["message"]
    assert kind.objects() == {name}


def test_a_stop_deletes_the_object(kind: OneKind) -> None:
    name = kind.applied("stopped")
    await_object(kind.scenario, kind.kind, name)
    command(kind.scenario, "stopped", "TerminateJobFlow")
    flow = kind.scenario.ended("stopped", 90)
    assert step_of(flow, "train")["phase"] == "Terminated"
    assert kind.objects() == set()


def test_a_job_s_container_gets_a_param_byte_for_byte(operated: LocalCluster) -> None:
    value = "pa$$word $(TOKEN) $"
    container = {
        "name": "main",
        "image": "busybox",
        "args": ["$(params.p)", "$(TOKEN)"],
        "env": [{"name": "TOKEN", "value": "s3cret"}, {"name": "P", "value": "$(params.p)"}],
        "lifecycle": {"preStop": {"exec": {"command": ["$(params.p)"]}}},
    }
    init = {**container, "name": "init", "lifecycle": None}
    pod = {"spec": {"restartPolicy": "Never", "initContainers": [init], "containers": [container]}}
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"annotations": {"p": "$(params.p)"}},
        "spec": {"managedBy": "test.jobflow.dev/nobody", "template": pod},
    }
    with operated.namespace(f"bytes-{time.monotonic_ns()}") as namespace:
        scenario = Scenario(operated, namespace)
        scenario.flow("f", {"a": {"resource": {"manifest": manifest}}}, params=[{"name": "p", "value": value}])
        made = await_object(scenario, Kind("batch/v1", "Job", "jobs"), "f-a")
    spec = made["spec"]["template"]["spec"]
    for each in (*spec["containers"], *spec["initContainers"]):
        assert [expand(text, {"TOKEN": "s3cret"}) for text in each["args"]] == [value, "s3cret"]
        assert expand(each["env"][1]["value"], {"TOKEN": "s3cret"}) == value
    assert spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] == [value]
    assert made["metadata"]["annotations"]["p"] == value
