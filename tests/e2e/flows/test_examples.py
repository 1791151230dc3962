"""Every example does what its comment says: all are applied at once with kubectl, then the test waits for each."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from local.backends import EmbeddedBackend
from local.client.blocking import until
from local.cluster import LocalCluster
from shared.kinds import EVENT, JOB, JOBFLOW, POD
from shared.model.types import Body
from tests.e2e.support.examples import FLOWS, GONE, JOBS, ExampleJob
from tests.e2e.support.resources import complete_batch_job
from tests.e2e.support.scenario import Scenario, job_phase, phase, phases, step_of

FOLDERS: Final = (Path("examples/flows"), Path("examples/jobs"))
MORE: Final = (Path("examples/first"), Path("examples/gang"))  # whose names are those of a page or a story
SECONDS: Final = 90.0
WARNINGS: Final[tuple[str, ...]] = ()  # what kubectl warns of: nothing


@pytest.fixture(scope="module")
def examples(cluster: LocalCluster) -> Iterator[Scenario]:
    """All examples in one namespace."""
    with cluster.namespace(f"examples-{os.getpid()}") as name:
        cluster.await_service_account(name)
        yield Scenario(cluster, name)


@pytest.fixture(scope="module")
def applied(examples: Scenario) -> subprocess.CompletedProcess[str]:
    """What kubectl said."""
    files = [word for folder in (*FOLDERS, *MORE) for word in ("-f", str(folder))]
    return examples.cluster.kubectl("apply", f"--namespace={examples.namespace}", *files)


def test_every_example_is_in_the_table() -> None:
    found = {"JobFlow": set[str](), "Job": set[str](), "JobTemplate": set[str](), "JobFlowTemplate": set[str]()}
    for file, document in _documents():
        name = document["metadata"]["name"]
        assert name.startswith(file.stem), f"{file}: {name} could meet another example's"
        assert name not in found[document["kind"]], f"{file}: there are two of {name}"
        found[document["kind"]].add(name)
    assert found["JobFlow"] == set(FLOWS)
    assert found["Job"] == set(JOBS)


def test_every_primitive_has_an_example() -> None:
    """Each field of the flow's and the step's spec is used by one file at least."""
    specs = [document["spec"] for _, document in _documents() if document["kind"] == "JobFlow"]
    steps = [step for spec in specs for step in (*spec["flows"], *spec.get("finally", ()))]
    used = {key for each in (*specs, *steps) for key in each}
    used |= {f"dependsOn.{key}" for step in steps for key in step.get("dependsOn", ())}
    used |= {f"for.{key}" for step in steps for key in step.get("for", ())}
    schema = _schema()["spec"]["properties"]
    step = schema["flows"]["items"]["properties"]
    wanted = schema.keys() | step.keys()
    wanted |= {f"{field}.{key}" for field in ("dependsOn", "for") for key in step[field]["properties"]}
    assert wanted - used == set()


def test_kubectl_applies_them_all_without_a_warning(applied: subprocess.CompletedProcess[str]) -> None:
    warnings = [line for line in applied.stderr.splitlines() if "Warning" in line]
    assert tuple(warnings) == WARNINGS
    assert applied.stdout.count(" created") == len(list(_documents((*FOLDERS, *MORE))))


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_ends_as_its_comment_says(
    examples: Scenario, applied: subprocess.CompletedProcess[str], name: str
) -> None:
    wanted = FLOWS[name]
    if wanted is GONE:
        _comes_and_goes(examples, name)
        return
    if isinstance(examples.cluster.backend, EmbeddedBackend):
        for job in wanted.batch_jobs:
            complete_batch_job(examples, job)
    flow = examples.cluster.wait_for(
        JOBFLOW, examples.namespace, name, lambda flow: phase(flow) in ("Succeed", "Failed", "Suspended"), SECONDS
    )
    assert (phase(flow), phases(flow)) == (wanted.phase, wanted.steps), flow["status"]
    assert {step: step_of(flow, step)["reason"] for step in wanted.skipped} == dict(wanted.skipped)
    assert _outputs(flow) == wanted.outputs
    assert {step: step_of(flow, step)["attempts"] for step in wanted.attempts} == dict(wanted.attempts)
    assert len(_jobs_of(examples, flow)) == wanted.jobs
    if wanted.outcome:
        assert flow["status"]["outcome"] == wanted.outcome


@pytest.mark.parametrize("name", JOBS)
def test_a_job_ends_as_its_comment_says(
    examples: Scenario, applied: subprocess.CompletedProcess[str], name: str
) -> None:
    wanted: ExampleJob = JOBS[name]
    final = ("Completed", "Failed", "Aborted", "Terminated")
    job = examples.cluster.wait_for(JOB, examples.namespace, name, lambda job: job_phase(job) in final, SECONDS)
    status = job["status"]
    assert job_phase(job) == wanted.phase, status
    assert {count: status.get(count, 0) for count in wanted.counts} == dict(wanted.counts)
    assert not wanted.reason or status["state"]["reason"] == wanted.reason


def test_a_suspended_flow_runs_once_it_is_resumed(
    examples: Scenario, applied: subprocess.CompletedProcess[str]
) -> None:
    examples.cluster.wait_for(JOBFLOW, examples.namespace, "suspend", lambda flow: phase(flow) == "Suspended")
    change = '{"spec": {"suspend": false}}'
    examples.cluster.kubectl("patch", "jobflow", "suspend", "--type=merge", "-p", change, f"-n{examples.namespace}")
    flow = examples.cluster.wait_for(JOBFLOW, examples.namespace, "suspend", lambda flow: phase(flow) == "Succeed")
    assert phases(flow) == {"prepare": "Completed", "train": "Completed"}


def test_the_flow_of_the_first_steps_runs(examples: Scenario, applied: subprocess.CompletedProcess[str]) -> None:
    assert phases(examples.succeeds("first", SECONDS)) == dict.fromkeys(("fetch", "work", "report"), "Completed")


def test_gangs_start_as_a_whole_or_report_why_they_wait(
    examples: Scenario, applied: subprocess.CompletedProcess[str]
) -> None:
    for name in ("first", "second"):
        examples.cluster.wait_for(JOB, examples.namespace, name, lambda job: job_phase(job) == "Completed", SECONDS)
    job = examples.cluster.wait_for(JOB, examples.namespace, "never-fits", _says_why, SECONDS)
    assert job_phase(job) == "Pending"
    assert [pod for pod in examples.pods() if pod["metadata"]["name"].startswith("never-fits") and _bound(pod)] == []


# What comments say of the Jobs made: path into the Job's spec -> value there.
MADE: Final[dict[str, dict[str, Any]]] = {
    "params-train": {"replicas": 3, "image": "busybox:1.36", "env": {"DATASET": "imagenet"}},
    "patch-job-spec-small": {"replicas": 1, "image": "busybox:1.36", "env": {"DATA": "/data", "MODE": "small"}},
    "patch-job-spec-large": {"replicas": 3, "image": "busybox:1.37", "env": {"DATA": "/data", "MODE": "large"}},
    "patch-json-train": {"replicas": 4, "image": "busybox:1.36", "env": {"SHARDS": "4", "PRIORITY": "low"}},
    "volcano-patch-and-probe-check": {"replicas": 2, "image": "busybox:1.37", "env": {}},
    "outputs-load": {"replicas": 1, "image": "busybox:1.36", "env": {"TABLE": "events"}},
}
SAID: Final[dict[str, str]] = {
    "for-items-fetch-1": "fetching japan in ja, number 1",
    "for-range-shard-3": "rows from 750",
    "for-expression-convert-2": "converting c.csv",
    "for-matrix-pick": "best of 0.1x4 0.01x4 0.1x8 0.01x8",
}


@pytest.mark.parametrize("name", MADE)
def test_a_job_is_created_as_the_comment_says(
    examples: Scenario, applied: subprocess.CompletedProcess[str], name: str
) -> None:
    job = until(lambda: examples.kube.find(JOB, examples.namespace, name), SECONDS, lambda: f"no Job {name}")
    task = job["spec"]["tasks"][0]
    container = task["template"]["spec"]["containers"][0]
    env = {each["name"]: each.get("value") for each in container.get("env", ())}
    assert {"replicas": task["replicas"], "image": container["image"], "env": env} == MADE[name]


@pytest.mark.parametrize("name", SAID)
def test_kubectl_logs_show_the_values_of_an_iteration(
    examples: Scenario, applied: subprocess.CompletedProcess[str], name: str
) -> None:
    examples.cluster.wait_for(JOB, examples.namespace, name, lambda job: job_phase(job) == "Completed", SECONDS)
    (pod,) = examples.kube.list(POD, examples.namespace, f"volcano.sh/job-name={name}")
    path = f"/api/v1/namespaces/{examples.namespace}/pods/{pod['metadata']['name']}/log"
    assert SAID[name] in examples.kube.request("GET", path)


def test_parallel_steps_run_at_the_same_time(examples: Scenario, applied: subprocess.CompletedProcess[str]) -> None:
    """A step that starts beside another: made before that one's end."""
    beside = {"any": ("use", "slow-mirror"), "daemon": ("client", "server"), "probe-tcp": ("load", "database")}
    beside |= {"probe-task-status": ("monitor", "train"), "diamond": ("clean", "index")}
    for name, (early, late) in beside.items():
        flow = examples.succeeds(name, SECONDS)
        assert step_of(flow, early)["startTime"] <= step_of(flow, late)["completionTime"], name


def _comes_and_goes(examples: Scenario, name: str) -> None:
    examples.kube.wait_gone(JOBFLOW, examples.namespace, name, SECONDS)

    def reasons() -> list[str]:
        events = examples.kube.list(EVENT, examples.namespace)
        return [event["reason"] for event in events if event["involvedObject"]["name"] == name]

    until(
        lambda: "Succeeded" in reasons(), SECONDS, lambda: f"only {reasons()}"
    )  # a hundred objects have Events to send
    assert [job for job in examples.jobs() if job.startswith(f"{name}-")] == []


def _says_why(job: Body) -> bool:
    return "cpu" in ((job.get("status") or {}).get("state") or {}).get("message", "")


def _bound(pod: Body) -> bool:
    return bool(pod["spec"].get("nodeName"))


def _outputs(flow: Body) -> dict[str, dict[str, str]]:
    return {step["name"]: step["outputs"] for step in flow["status"]["steps"] if step.get("outputs")}


def _jobs_of(examples: Scenario, flow: Body) -> list[str]:
    uid = flow["metadata"]["uid"]
    return [
        name
        for name, job in examples.jobs().items()
        if any(owner["uid"] == uid for owner in job["metadata"].get("ownerReferences", ()))
    ]


def _documents(folders: Sequence[Path] = FOLDERS) -> Iterator[tuple[Path, Body]]:
    for folder in folders:
        for file in sorted(folder.glob("*.yaml")):
            for document in yaml.safe_load_all(file.read_text()):
                yield file, document


def _schema() -> Body:
    crd = yaml.safe_load(Path("helm/jobflow/files/crds/flow.volcano.sh_jobflows.yaml").read_text())
    properties: Body = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return properties
