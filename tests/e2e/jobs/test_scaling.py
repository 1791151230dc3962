"""Scaling a Job in every way that kubectl offers: a minAvailable that the manifest leaves out follows the replicas."""

import json
from collections.abc import Callable

import pytest

from local.client.blocking import until
from local.client.kubectl import KubectlError
from shared.kinds import JOB, POD
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario


def manifest(namespace: str, replicas: int, **spec: object) -> Body:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", "sleep 4000"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": JOB.api_version,
        "kind": "Job",
        "metadata": {"name": "j", "namespace": namespace},
        "spec": {"tasks": [{"name": "w", "replicas": replicas, "template": template}], **spec},
    }


class Scaler:
    def __init__(self, scenario: Scenario) -> None:
        self.kube, self.kubectl, self.namespace = scenario.kube, scenario.cluster.kubectl, scenario.namespace

    def client_side_apply(self, replicas: int) -> None:
        self._send("apply", replicas)

    def server_side_apply(self, replicas: int) -> None:
        self._send("apply", replicas, "--server-side")

    def replace(self, replicas: int) -> None:
        if self.kube.find(JOB, self.namespace, "j") is None:
            self._send("create", replicas)
        else:
            until(lambda: self._replaced(replicas), 60, lambda: "each replace is a conflict")

    def json_patch(self, replicas: int) -> None:
        if self.kube.find(JOB, self.namespace, "j") is None:
            return self._send("create", replicas)
        change = [{"op": "replace", "path": "/spec/tasks/0/replicas", "value": replicas}]
        self.kubectl("patch", "vcjob", "j", f"-n{self.namespace}", "--type=json", "-p", json.dumps(change))
        return None

    def _replaced(self, replicas: int) -> bool:
        """Whether kubectl has replaced the version that it read. A status that the controller writes in between is a conflict."""
        try:
            self._send("replace", replicas)
        except KubectlError as error:
            if "(Conflict)" not in str(error):
                raise
            return False
        return True

    def _send(self, verb: str, replicas: int, *flags: str) -> None:
        self.kubectl(verb, *flags, "-f", "-", stdin=json.dumps(manifest(self.namespace, replicas)))

    def minimums(self) -> tuple[int, int]:
        spec = self.kube.get(JOB, self.namespace, "j")["spec"]
        return spec["minAvailable"], spec["tasks"][0]["minAvailable"]

    def until_pods(self, count: int) -> None:
        until(lambda: len(self.kube.list(POD, self.namespace)) == count, 60, lambda: f"waiting for {count} pods")


WAYS: tuple[Callable[[Scaler, int], None], ...] = (
    Scaler.client_side_apply,
    Scaler.server_side_apply,
    Scaler.replace,
    Scaler.json_patch,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_defaulted_minimum_follows_the_replicas_down_and_up(
    scenario: Scenario, way: Callable[[Scaler, int], None]
) -> None:
    scaler = Scaler(scenario)
    for replicas in (4, 1, 3):
        way(scaler, replicas)
        assert scaler.minimums() == (replicas, replicas)
        scaler.until_pods(replicas)


@pytest.mark.parametrize("flags", [(), ("--server-side",)], ids=["client-side", "server-side"])
def test_a_minimum_in_the_manifest_is_kept(scenario: Scenario, flags: tuple[str, ...]) -> None:
    scaler = Scaler(scenario)
    for replicas in (4, 6):
        body = manifest(scenario.namespace, replicas, minAvailable=4)
        scaler.kubectl("apply", *flags, "-f", "-", stdin=json.dumps(body))
        assert scaler.minimums() == (4, replicas)
