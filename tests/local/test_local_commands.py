"""`jobflow local`: a cluster is started, described, used and ended."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cli.main import main
from local.client.blocking import BlockingClient, kind_of, until
from local.cluster import KINDS
from local.processes import Processes
from local.request import ClusterRequest
from local.state_folder import StateFolder, default_state_folder
from shared.kinds import JOB
from shared.model.types import Body

SEED = Path("examples/seed")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateFolder]:
    """The state folder of a user of whom no cluster is left at the end."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield default_state_folder()
    main(["local", "down"])


def status(capsys: pytest.CaptureFixture[str]) -> tuple[int, Body]:
    capsys.readouterr()
    code = main(["local", "status", "-o", "json"])
    found: Body = json.loads(capsys.readouterr().out)
    return code, found


def test_a_cluster_is_started_described_and_ended(folder: StateFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local", "up", "--speed", "20", "--nodes", "2"]) == 0
    assert capsys.readouterr().out == f"export KUBECONFIG={folder.kubeconfig}\n"
    code, found = status(capsys)
    assert code == 0
    assert [(node["name"], node["ready"], node["gpus"]) for node in found["nodes"]] == [
        ("node-0", True, "2"),
        ("node-1", True, "2"),
    ]
    assert set(found["processes"]) == {"apiserver", "nodes", "webhook", "controller"}
    assert found["kubernetes"].startswith("v1.")
    assert main(["local", "status"]) == 0
    assert "node-1" in capsys.readouterr().out

    assert main(["local", "up", "--speed", "20", "--nodes", "2"]) == 0
    assert "already running" in capsys.readouterr().err
    assert main(["local", "up", "--speed", "30", "--nodes", "2"]) == 1
    assert "speed is 20.0, not 30.0" in capsys.readouterr().err

    assert main(["local", "down"]) == 0
    assert not folder.kubeconfig.exists()
    assert main(["local", "down"]) == 0
    assert "No local cluster is running" in capsys.readouterr().err
    assert status(capsys) == (1, {"running": False})


def test_no_other_user_can_read_the_state(folder: StateFolder) -> None:
    assert main(["local", "up", "--nodes", "1"]) == 0
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.kubeconfig.stat().st_mode) == 0o600


def test_the_training_example_and_the_demo_run_on_the_default_nodes(
    folder: StateFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["local", "up", "--speed", "20"]) == 0
    kube = BlockingClient(folder.kubeconfig)
    for name in ("0-queue.yaml", "distributed-training.yaml"):
        for document in yaml.safe_load_all((SEED / name).read_text()):
            kind = kind_of(document, KINDS)
            kube.apply(kind, with_namespace(document) if kind.namespaced else document)
    job = kube.wait(JOB, "default", "distributed-training", lambda found: ended(found), 60)
    assert job["status"]["state"]["phase"] == "Completed"
    for _ in range(2):  # a second demo starts the flow anew
        assert main(["local", "demo"]) == 0
        printed = capsys.readouterr().out
        assert "step e: Completed" in printed
        assert printed.endswith("jobflow default/test Succeed 5/5\n")


def test_a_killed_cluster_is_seen_as_ended_and_can_be_started_again(
    folder: StateFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["local", "up", "--nodes", "1"]) == 0
    pid = folder.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not folder.is_running(), 10, lambda: "the lock is still held")
    assert status(capsys) == (1, {"running": False})
    assert main(["local", "up", "--nodes", "1"]) == 0
    assert folder.pid() != pid


def test_a_cluster_that_is_being_started_is_stopped(folder: StateFolder) -> None:
    code, out, err = next(found for _ in range(10) if (found := stopped_at_its_start(folder))[0])
    assert (code, out) == (1, "")
    assert err.endswith("jobflow: the local cluster: was stopped before it was ready\n")
    assert not folder.is_running()
    assert folder.pid() is None


def stopped_at_its_start(folder: StateFolder) -> tuple[int, str, str]:
    """The end of `up` when `down` follows its start. Code 0: it was ready before it was stopped, so nothing was tested."""
    command = [sys.executable, "-m", "cli.main", "local", "up", "--nodes", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as starting:
        until(folder.is_starting, 60, lambda: "not started")
        assert main(["local", "down"]) == 0
        out, err = starting.communicate(timeout=60)
    return starting.returncode, out, err


def test_a_process_that_ended_is_reported(folder: StateFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local", "up", "--nodes", "1"]) == 0
    record = folder.record()
    assert record is not None
    controller = record.processes["controller"]
    assert controller is not None
    os.kill(controller, signal.SIGKILL)
    until(lambda: status(capsys)[0] == 1, 10, lambda: "the status is still 0")
    assert status(capsys)[1]["processes"]["controller"] is None


def test_all_faults_of_a_request_are_reported_at_once(
    folder: StateFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        faults = ["--nodes", "-1", "--cpu", "many", "--memory", "0", "--gpus", "-2", "--speed", "0", "--port", port]
        assert main(["local", "up", "--backend", "real", *faults]) == 2
    printed = capsys.readouterr().err
    for expected in (
        "--nodes -1: must be between 0 and 500",
        "--cpu many: quantities must match",
        "--memory 0: must be greater than 0",
        "--gpus -2: must not be negative",
        "--speed 0: must be greater than 0",
        "--backend real: set KUBEBUILDER_ASSETS",
        f"--port {port}: is already in use",
    ):
        assert expected in printed
    assert not folder.is_running()


def test_a_cluster_that_does_not_start_says_why(
    folder: StateFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("etcd", "kube-apiserver", "kubectl"):
        (tmp_path / name).write_text("#!/bin/sh\necho broken binary >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert main(["local", "up", "--backend", "real"]) == 1
    assert "broken binary" in capsys.readouterr().err
    assert not folder.is_running()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ClusterRequest(backend="kubeconfig"), "name the cluster's kubeconfig with --kubeconfig FILE"),
        (ClusterRequest(backend="kubeconfig", kubeconfig="/none"), "does not exist or cannot be read"),
        (ClusterRequest(kubeconfig="/none"), "is used only with --backend kubeconfig"),
        (ClusterRequest(port=70000), "must be between 1 and 65535"),
    ],
)
def test_a_request_that_cannot_work_is_refused(request_: ClusterRequest, expected: str) -> None:
    (problem,) = request_.problems()
    assert expected in problem


def test_the_demo_shows_the_manifests_of_the_examples() -> None:
    for name in ("jobtemplates.yaml", "jobflow.yaml"):
        assert (Path("local/manifests") / name).read_text() == (SEED / name).read_text()


def with_namespace(document: Body) -> Body:
    return document | {"metadata": {"namespace": "default"} | document["metadata"]}


def ended(job: Body) -> bool:
    return ((job.get("status") or {}).get("state") or {}).get("phase") in (
        "Completed",
        "Failed",
        "Aborted",
        "Terminated",
    )


def test_a_restarted_process_has_the_environment_it_was_started_with(tmp_path: Path) -> None:
    program = "import os; print(os.environ.get('JOBFLOW_TEST', 'nothing'), flush=True)"
    with Processes(tmp_path) as processes:
        processes.start("child", [sys.executable, "-c", program], {"JOBFLOW_TEST": "kept"}).wait(20)
        processes.restart("child").wait(20)

    assert (tmp_path / "child.log").read_text().split() == ["kept", "kept"]
