"""Verbs on Jobs, queues, templates and names, on a local cluster: their output, exit code and effect."""

import os
import socket
from pathlib import Path

import pytest
import yaml

from local.cluster import LocalCluster
from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, QUEUE
from shared.model.types import Body
from tests.cli.live.make import NAMESPACE, Live, applied_policy, flow, policy, uses
from tests.cli.make import CliCommand, lines, write
from tests.e2e.support.scenario import job_phase

pytestmark = [pytest.mark.e2e]


def test_job_scale_sets_replicas_and_the_minimum_follows(cluster: LocalCluster, live: Live) -> None:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", "sleep 4000"]}
    task = {"name": "w", "replicas": 1, "template": {"spec": {"containers": [container]}}}
    metadata = {"name": "grown", "namespace": NAMESPACE}
    cluster.apply({"apiVersion": JOB.api_version, "kind": "Job", "metadata": metadata, "spec": {"tasks": [task]}})
    assert live("job", "scale", "grown", "w=3").out.startswith("job.batch.volcano.sh/grown scaled: w ")
    spec = cluster.kube.get(JOB, NAMESPACE, "grown")["spec"]
    assert (spec["tasks"][0]["replicas"], spec["tasks"][0]["minAvailable"], spec["minAvailable"]) == (3, 3, 3)
    cluster.wait_for(JOB, NAMESPACE, "grown", lambda body: body.get("status", {}).get("running") == 3)
    unknown = live("job", "scale", "grown", "v=3")
    assert (unknown.code, unknown.err) == (3, 'jobflow: Job grown has no task "v"; did you mean "w"?\n')
    assert live("job", "scale", "grown", "w=many").code == 2
    cluster.kube.delete(JOB, NAMESPACE, "grown")


def test_jobs_with_volcanos_columns(cluster: LocalCluster, live: Live) -> None:
    cluster.apply(flow("jobs", a=uses("slow")))
    cluster.wait_for(JOB, NAMESPACE, "jobs-a", lambda body: body.get("status", {}).get("running") == 1)
    heads, *rows = lines(live("job", "list").out)
    assert heads.split() == (
        [
            "Name",
            "Creation",
            "Phase",
            "JobType",
            "Replicas",
            "Min",
            "Pending",
            "Running",
            "Succeeded",
            "Failed",
            "Unknown",
            "RetryCount",
        ]
    )
    (row,) = (row.split() for row in rows if row.startswith("jobs-a "))
    assert row[2:] == ["Running", "Batch", "1", "1", "0", "1", "0", "0", "0", "0"]
    assert lines(live("job", "list", "-A").out)[0].split()[0] == "Namespace"
    viewed = live("job", "view", "jobs-a").out
    for wanted in ("Name:           jobs-a", "  jobs-a-w-0   Running", "Status:         Running", "Events:"):
        assert wanted in viewed
    said = live("job", "suspend", "jobs-a")
    assert (said.code, said.out.startswith("job.batch.volcano.sh/jobs-a: ")) == (0, True)
    assert job_phase(cluster.kube.get(JOB, NAMESPACE, "jobs-a")) in ("Aborting", "Aborted")
    cluster.wait_for(JOB, NAMESPACE, "jobs-a", lambda body: body["status"]["state"]["phase"] == "Aborted")
    again = live("job", "suspend", "jobs-a")
    assert (again.code, again.err) == (
        1,
        "job.batch.volcano.sh/jobs-a: suspend has no effect: it is already suspended\n",
    )
    assert live("job", "resume", "jobs-a").out.startswith("job.batch.volcano.sh/jobs-a: resumed: it is ")
    requested = live("job", "resume", "jobs-a", "--no-wait")
    assert (requested.code, "resume requested (Command jobs-a-resume-" in requested.out) == (0, True)
    cluster.wait_for(JOB, NAMESPACE, "jobs-a", lambda body: body["status"]["state"]["phase"] == "Running")
    made = yaml.safe_load(live("template", "from-job", "jobs-a", "--name", "copied").out)
    cluster.apply(made)
    assert cluster.kube.get(JOBTEMPLATE, NAMESPACE, "copied")["spec"]["tasks"][0]["replicas"] == 1
    once = yaml.safe_load(live("job", "from-template", "copied", "--name", "once").out)
    cluster.apply(once)
    assert "labels" not in once["metadata"], "marks of the flow are not a person's"
    assert live("job", "delete", "once").out == "job.batch.volcano.sh/once deleted\n"
    cluster.kube.delete(JOBFLOW, NAMESPACE, "jobs")


def test_queues_open_and_close(cluster: LocalCluster, live: Live) -> None:
    cluster.kube.apply(
        QUEUE, {"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": "lab"}, "spec": {"weight": 3}}
    )
    heads, *rows = lines(live("queue", "list").out)
    assert heads.split() == [
        "Name",
        "Weight",
        "State",
        "Parent",
        "Inqueue",
        "Pending",
        "Running",
        "Unknown",
        "Completed",
    ]
    assert next(row.split() for row in rows if row.startswith("lab "))[1:2] == ["3"]
    shown = "queue.scheduling.volcano.sh/lab: "
    assert live("queue", "close", "lab").out == f"{shown}closed\n"
    assert cluster.kube.get(QUEUE, "", "lab")["status"]["state"] == "Closed"
    again = live("queue", "close", "lab")
    assert (again.code, again.err) == (1, f"{shown}close has no effect: it is already closed\n")
    assert "Closed" in live("queue", "get", "lab").out
    child = {"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": "bench"}, "spec": {"parent": "lab"}}
    cluster.kube.apply(QUEUE, {**child, "spec": {"parent": "lab", "weight": 1}})
    cluster.wait_for(QUEUE, "", "bench", lambda body: body.get("status", {}).get("state") == "Closed")
    refused = live("queue", "open", "bench")
    assert (refused.code, refused.out) == (1, "")
    assert "open has no effect: its parent lab is Closed; open that first" in refused.err
    cluster.kube.delete(QUEUE, "", "bench")
    assert live("queue", "open", "lab").out == f"{shown}open\n"
    assert cluster.kube.get(QUEUE, "", "lab")["status"]["state"] == "Open"
    root = live("queue", "close", "root")
    assert (root.code, root.out) == (1, "")
    assert live("queue", "get", "lab", "-o", "json").json["metadata"]["name"] == "lab"


MISSING = {
    "status": ("status", "nope"),
    "graph": ("graph", "nope"),
    "run": ("run", "nope"),
    "stop": ("stop", "nope"),
    "delete": ("delete", "nope"),
    "job view": ("job", "view", "nope"),
    "queue get": ("queue", "get", "nope"),
    "watch": ("status", "nope", "--watch"),
    "conversion": ("template", "from-job", "nope"),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_does_not_exist_is_exit_3(case: str, live: Live) -> None:
    ran = live(*MISSING[case])
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("jobflow: ")
    assert '"nope" not found' in ran.err


def test_an_empty_list_prints_a_message_to_stderr(live: Live, command: CliCommand) -> None:
    assert command("list", "-n", "empty") == (0, "", "No resources found in namespace empty\n")
    assert command("list", "-n", "empty", "-o", "json").json["items"] == []


def test_names_of_objects_are_completed(cluster: LocalCluster, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.complete import names, words
    from cli.parser import build

    cluster.apply(flow("completed", a=uses("quick")))
    asked = build().parse_args(["status", "x", "-n", NAMESPACE])
    assert names("jobflow", "compl", asked) == ["completed"]
    assert words("step", "compl", asked) == ["completed/"]
    assert words("step", "completed/", asked) == ["completed/a"]
    assert NAMESPACE in words("namespace", "peo", asked)
    asked.kubeconfig = os.devnull
    assert names("jobflow", "compl", asked) == []


def test_an_unreachable_server_is_exit_4(command: CliCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    monkeypatch.setattr("shared.kube.client.one_shot.connection.time.sleep", slept.append)
    ran = command("list", "--kubeconfig", write(tmp_path / "config", _config("http://127.0.0.1:9")))
    assert ran.code == 4
    assert ran.err.startswith("jobflow: cannot reach http://127.0.0.1:9")
    assert command("list", "--kubeconfig", str(tmp_path / "none")).code == 4


@pytest.mark.parametrize("verb", [("list",), ("status", "f"), ("suspend", "f"), ("status", "-w", "f"), ("job", "list")])
def test_a_server_that_does_not_answer_is_exit_4_within_the_time_limit(
    verb: tuple[str, ...], command: CliCommand, tmp_path: Path
) -> None:
    """As an API server without its store: it accepts the request and lets it wait."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ran = command(*verb, "--kubeconfig", write(tmp_path / "config", _config(address)), "--request-timeout", "200ms")
    assert ran.code == 4
    assert ran.err.startswith(f"jobflow: {address} has not answered GET /apis/")
    assert "within 0.2 s" in ran.err
    assert "(etcd) may be down" in ran.err


def _config(server: str) -> Body:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "here"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
    }


def test_policies_are_explained_for_stored_objects_and_scanned_before_they_are_applied(
    cluster: LocalCluster, live: Live, tmp_path: Path
) -> None:
    cluster.apply(flow("scanned", a=uses("quick"), b=uses("quick", "a")))
    strict = write(tmp_path / "strict.yaml", policy("one-step", limits={"maxSteps": 1}))
    ran = live("policy", "scan", strict)
    assert ran.code == 1
    assert "JobFlow people/scanned: spec.flows: " in ran.out
    assert lines(ran.out)[1].split()[:2] == [NAMESPACE, "one-step"]
    template = {"apiVersion": "flow.jobflow.dev/v1alpha1", "kind": "JobFlowTemplate", "metadata": {"name": "two-steps"}}
    inner = flow("inner", a=uses("quick"), b=uses("quick", "a"))["spec"]
    cluster.apply({**template, "metadata": {**template["metadata"], "namespace": NAMESPACE}, "spec": {"flow": inner}})
    assert "JobFlowTemplate people/two-steps: spec.flow.flows: " in live("policy", "scan", strict).out
    lenient = write(tmp_path / "lenient.yaml", policy("many-steps", limits={"maxSteps": 1000}))
    ran = live("policy", "scan", lenient)
    assert (ran.code, ran.out.endswith("none violates the policies\n")) == (0, True)

    with applied_policy(cluster, "of-the-cluster", rules=[{"name": "never", "expression": "false", "message": "no"}]):
        ran = live("policy", "explain", "jobflow/scanned")
        assert ran.code == 1
        assert "of-the-cluster (Enforce) applies" in ran.out
        assert "FAILED   rules.never" in ran.out
    assert live("policy", "explain", "jobflow/absent").code == 3
    assert (
        "kinds: jobflow, jobtemplate, job, cronjob, cronjobflow, jobflowtemplate"
        in live("policy", "explain", "queue/x").err
    )
