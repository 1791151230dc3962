"""The nodes' stand-in behaves as scheduler and kubelets do: on either API server the same."""

from pathlib import Path
from typing import Any

import pytest

from local.client.blocking import until
from local.client.rest import RestError
from shared.kinds import CONFIGMAP, NODE, POD, PVC, SECRET
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario

PROCESS = {"jobflow.dev/run-command": "true"}


def a_pod(scenario: Scenario, name: str = "p", annotations: dict[str, str] | None = None, **said: Any) -> Body:
    """Create a pod of one container; keywords of the container, `spec` for the pod's own."""
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 5} | said.pop("spec", {})
    container = {"name": "main", "image": "busybox", "command": ["sleep", "1"]} | said
    meta = {"name": name, "namespace": scenario.namespace, "annotations": annotations or {}}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]} | spec}
    made: Body = until(lambda: _created(scenario, body), 20, lambda: "the namespace has no service account yet")
    return made


def ends(scenario: Scenario, name: str = "p", seconds: float = 30) -> Body:
    """The pod's status once it has ended."""
    ended = ("Succeeded", "Failed")
    status: Body = scenario.kube.wait(
        POD, scenario.namespace, name, lambda pod: pod["status"].get("phase") in ended, seconds
    )["status"]
    return status


def runs(scenario: Scenario, name: str = "p") -> Body:
    return scenario.kube.wait(POD, scenario.namespace, name, lambda pod: pod["status"].get("phase") == "Running")


def logs(scenario: Scenario, name: str = "p") -> str:
    return str(scenario.kube.request("GET", f"/api/v1/namespaces/{scenario.namespace}/pods/{name}/log"))


def ending(status: Body) -> Body:
    ended: Body = status["containerStatuses"][0]["state"]["terminated"]
    return ended


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Failed")])
def test_a_simulated_command_ends_with_its_exit_code(scenario: Scenario, code: int, phase: str) -> None:
    a_pod(scenario, command=["sh", "-c", f"echo hello; sleep 1; exit {code}"])
    status = ends(scenario)
    assert (status["phase"], ending(status)["exitCode"]) == (phase, code)
    assert logs(scenario) == "hello\n"


def test_a_real_command_sees_its_environment_and_its_files(scenario: Scenario) -> None:
    meta = {"name": "words", "namespace": scenario.namespace}
    scenario.kube.create(CONFIGMAP, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": "v"}})
    script = 'cat "$JOBFLOW_ROOT/etc/words/k"; echo " $WORD $IP $1"; printf out > "$TERMINATION_LOG"; exit 4'
    a_pod(
        scenario,
        annotations=PROCESS,
        command=["sh", "-c", script, "sh", "$(WORD)"],
        env=[
            {"name": "WORD", "valueFrom": {"configMapKeyRef": {"name": "words", "key": "k"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        volumeMounts=[{"name": "words", "mountPath": "/etc/words"}],
        spec={"volumes": [{"name": "words", "configMap": {"name": "words"}}]},
    )
    status = ends(scenario)
    assert (ending(status)["exitCode"], ending(status)["message"]) == (4, "out")
    assert logs(scenario) == f"v v {status['podIP']} v\n"


def test_a_pod_waits_for_a_config_map_that_comes_later(scenario: Scenario) -> None:
    env = [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "late", "key": "k"}}}]
    a_pod(scenario, annotations=PROCESS, command=["sh", "-c", "exit $X"], env=env)
    scenario.kube.wait(POD, scenario.namespace, "p", lambda pod: _waits(pod) == "CreateContainerConfigError")
    meta = {"name": "late", "namespace": scenario.namespace}
    scenario.kube.create(CONFIGMAP, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": "5"}})
    assert ending(ends(scenario))["exitCode"] == 5


def test_a_simulated_container_waits_for_a_secret_of_its_volume(scenario: Scenario) -> None:
    a_pod(
        scenario,
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        spec={"volumes": [{"name": "v", "secret": {"secretName": "late"}}]},
    )
    scenario.kube.wait(POD, scenario.namespace, "p", lambda pod: _waits(pod) == "ContainerCreating")
    meta = {"name": "late", "namespace": scenario.namespace}
    scenario.kube.create(SECRET, {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"k": "5"}})
    assert ends(scenario)["phase"] == "Succeeded"


def test_a_pod_waits_for_a_claim_that_comes_later(scenario: Scenario) -> None:
    a_pod(scenario, spec={"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "late"}}]})
    pod = scenario.kube.wait(POD, scenario.namespace, "p", lambda pod: "late" in _unschedulable(pod))
    assert 'persistentvolumeclaim "late" not found' in _unschedulable(pod)
    meta = {"name": "late", "namespace": scenario.namespace}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}
    scenario.kube.create(PVC, body)
    assert ends(scenario)["phase"] == "Succeeded"


def test_a_command_writes_to_the_files_of_its_container(scenario: Scenario) -> None:
    a_pod(
        scenario,
        annotations=PROCESS,
        command=["sh", "-c", "echo shared > /data/x; cat /data/x; printf ended > /dev/termination-log"],
        volumeMounts=[{"name": "v", "mountPath": "/data"}],
        spec={"volumes": [{"name": "v", "emptyDir": {}}]},
    )
    assert ending(ends(scenario))["message"] == "ended"
    assert logs(scenario) == "shared\n"
    assert not Path("/dev/termination-log").exists()
    assert not Path("/data/x").exists()


def test_the_last_4096_bytes_of_a_termination_message_remain(scenario: Scenario) -> None:
    script = "head -c 5000 /dev/zero | tr '\\0' a > /dev/termination-log; printf end >> /dev/termination-log"
    a_pod(scenario, annotations=PROCESS, command=["sh", "-c", script])
    assert ending(ends(scenario))["message"] == "a" * 4093 + "end"


def test_a_deleted_pod_gets_sigterm_and_then_sigkill(scenario: Scenario) -> None:
    a_pod(scenario, annotations=PROCESS, command=["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"])
    runs(scenario)
    path = f"/api/v1/namespaces/{scenario.namespace}/pods/p"
    scenario.kube.request("DELETE", path, {"gracePeriodSeconds": 1})
    scenario.kube.wait_gone(POD, scenario.namespace, "p", 20)


def test_a_failing_container_is_restarted_on_failure(scenario: Scenario) -> None:
    a_pod(scenario, annotations={"jobflow.dev/fail-first": "2"}, spec={"restartPolicy": "OnFailure"})
    status = ends(scenario)
    assert status["phase"] == "Succeeded"
    assert status["containerStatuses"][0]["restartCount"] == 2
    assert status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1


def test_init_containers_run_first_and_a_failing_one_fails_the_pod(scenario: Scenario) -> None:
    def init(code: int) -> Body:
        return {"name": "prepare", "image": "busybox", "command": ["sh", "-c", f"exit {code}"]}

    a_pod(scenario, "good", spec={"initContainers": [init(0)]})
    a_pod(scenario, "bad", spec={"initContainers": [init(2)]})
    assert ends(scenario, "good")["phase"] == "Succeeded"
    status = ends(scenario, "bad")
    assert status["phase"] == "Failed"
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 2


def test_an_image_that_cannot_be_pulled_keeps_the_pod_waiting(scenario: Scenario) -> None:
    a_pod(scenario, image="fail/nowhere")
    scenario.kube.wait(POD, scenario.namespace, "p", lambda pod: _waits(pod) == "ErrImagePull")


def test_a_gated_pod_stays_unbound_until_its_gate_is_lifted(scenario: Scenario) -> None:
    a_pod(scenario, spec={"schedulingGates": [{"name": "jobflow.dev/gang"}]})
    a_pod(scenario, "free")
    ends(scenario, "free")
    assert "nodeName" not in scenario.kube.get(POD, scenario.namespace, "p")["spec"]
    scenario.kube.patch(POD, scenario.namespace, "p", {"spec": {"schedulingGates": None}})
    assert ends(scenario)["phase"] == "Succeeded"


def test_a_pod_that_fits_on_no_node_reports_it_and_runs_when_there_is_room(scenario: Scenario) -> None:
    def asks(cpu: str) -> Body:
        return {"requests": {"cpu": cpu}}

    nodes = [node["metadata"]["name"] for node in scenario.kube.list(NODE, selector="jobflow.dev/stand-in")]
    for name in nodes:
        a_pod(scenario, f"holds-{name}", resources=asks("40"), command=["sleep", "inf"])
    a_pod(scenario, resources=asks("40"))
    scenario.kube.wait(POD, scenario.namespace, "p", lambda pod: "Insufficient cpu" in _unschedulable(pod))
    scenario.kube.delete(POD, scenario.namespace, f"holds-{nodes[0]}")
    assert ends(scenario)["phase"] == "Succeeded"


def test_an_evicted_pod_has_a_disruption_condition_and_is_deleted(scenario: Scenario) -> None:
    a_pod(scenario, command=["sleep", "inf"])
    runs(scenario)
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "p", "namespace": scenario.namespace},
    }
    scenario.kube.request("POST", f"/api/v1/namespaces/{scenario.namespace}/pods/p/eviction", eviction)
    scenario.kube.wait_gone(POD, scenario.namespace, "p", 20)


def test_a_server_is_ready_once_its_probe_succeeds(scenario: Scenario) -> None:
    serve = ["python3", "-m", "http.server", "18080", "--bind", "$(IP)"]
    a_pod(
        scenario,
        annotations=PROCESS,
        command=serve,
        env=[{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        readinessProbe={"httpGet": {"port": 18080}, "periodSeconds": 1},
    )
    pod = scenario.kube.wait(POD, scenario.namespace, "p", _ready, 30)
    assert pod["status"]["podIP"].startswith("127.")


def test_a_deadline_ends_the_pod(scenario: Scenario) -> None:
    a_pod(scenario, command=["sleep", "inf"], spec={"activeDeadlineSeconds": 1})
    status = ends(scenario)
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")


def _created(scenario: Scenario, body: Body) -> Body | None:
    try:
        return scenario.kube.create(POD, body)
    except RestError as error:
        if "serviceaccount" not in error.message:
            raise
        return None


def _waits(pod: Body) -> str:
    states = pod["status"].get("containerStatuses") or [{}]
    return str(((states[0].get("state") or {}).get("waiting") or {}).get("reason", ""))


def _unschedulable(pod: Body) -> str:
    conditions = pod["status"].get("conditions") or []
    return next((each.get("message", "") for each in conditions if each.get("reason") == "Unschedulable"), "")


def _ready(pod: Body) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _unschedulable(pod: Body) -> str:
    conditions = pod["status"].get("conditions") or []
    return next((str(each.get("message")) for each in conditions if each.get("reason") == "Unschedulable"), "")
