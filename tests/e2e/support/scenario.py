"""Helpers for scenarios: templates, flows, and their results."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import LocalCluster
from shared.kinds import EVENT, JOB, JOBFLOW, JOBTEMPLATE, POD
from shared.model.types import Body
from tests.e2e.support.job_phase_recorder import JobPhaseRecorder

ENDED = ("Succeed", "Failed")
Steps = Mapping[str, Sequence[str] | Body]


class Scenario:
    """One namespace of one cluster."""

    def __init__(self, cluster: LocalCluster, namespace: str) -> None:
        self.cluster = cluster
        self.kube = cluster.kube
        self.namespace = namespace

    # --- creating objects --------------------------------------------------------------------------------------------

    def templates(self, *names: str, seconds: float = 1, code: int = 0, replicas: int = 1, **annotations: str) -> None:
        for name in names:
            self.cluster.apply(template(self.namespace, name, seconds, code, replicas, annotations))

    def flow(self, name: str, steps: Steps, **spec: Any) -> Body:
        """Apply a flow of `{step: its targets, or whatever else it says}`."""
        return self.kube.apply(JOBFLOW, jobflow(self.namespace, name, steps, **spec))

    @contextlib.contextmanager
    def recorded(self, *, relist: bool = False) -> Iterator[JobPhaseRecorder]:
        """The watch events of Jobs of this namespace meanwhile, in the API server's order."""
        with JobPhaseRecorder(self.cluster.kube, self.namespace, relist=relist) as recorder:
            yield recorder

    # --- waiting for results -------------------------------------------------------------------------------

    def ended(self, name: str, seconds: float = 60) -> Body:
        """The flow once its phase is final and every step has ended."""
        return self.cluster.wait_for(JOBFLOW, self.namespace, name, lambda flow: phase(flow) in ENDED, seconds)

    def succeeds(self, name: str, seconds: float = 60) -> Body:
        flow = self.ended(name, seconds)
        assert phase(flow) == "Succeed", flow["status"]
        return flow

    def reaches(self, name: str, step: str, *phases: str, seconds: float = 60) -> Body:
        """The flow once `step` is in one of `phases`."""
        return self.cluster.wait_for(
            JOBFLOW, self.namespace, name, lambda flow: step_of(flow, step).get("phase") in phases, seconds
        )

    def get(self, name: str) -> Body:
        return self.kube.get(JOBFLOW, self.namespace, name)

    def jobs(self) -> dict[str, Body]:
        return {job["metadata"]["name"]: job for job in self.kube.list(JOB, self.namespace)}

    def pods(self) -> list[Body]:
        return self.kube.list(POD, self.namespace)

    def job_phase(self, name: str) -> str:
        return job_phase(self.kube.find(JOB, self.namespace, name) or {})

    def waits_for_jobs(self, wanted: set[str], seconds: float = 30) -> None:
        """Until exactly these Jobs exist."""
        until(lambda: set(self.jobs()) == wanted, seconds, lambda: f"jobs {sorted(self.jobs())}, not {sorted(wanted)}")

    def event_reasons(self) -> list[str]:
        return [each["reason"] for each in self.kube.list(EVENT, self.namespace)]

    def reports_once(self, reason: str, seconds: float = 20) -> None:
        """Wait for the Event, which may come after the status, and assert that there is one."""
        until(lambda: reason in self.event_reasons(), seconds, lambda: f"no {reason} among {self.event_reasons()}")
        assert self.event_reasons().count(reason) == 1

    def nothing_left(self, seconds: float = 60) -> None:
        """Until neither Jobs nor pods are there."""
        until(
            lambda: not self.jobs() and not self.pods(),
            seconds,
            lambda: f"left: {sorted(self.jobs())}, {[pod['metadata']['name'] for pod in self.pods()]}",
        )

    def refused(self, body: Body) -> str:
        """The API server's answer to a create that it must refuse."""
        try:
            self.kube.create(JOBFLOW if body["kind"] == "JobFlow" else JOBTEMPLATE, body)
        except RestError as error:
            return error.message
        raise AssertionError(f"accepted: {body['metadata']['name']}")


def template(
    namespace: str, name: str, seconds: float = 1, code: int = 0, replicas: int = 1, annotations: Body | None = None
) -> Body:
    """A JobTemplate of one task `w`, whose pods sleep for `seconds` and end with `code`."""
    command = ["sh", "-c", f"sleep {seconds:g}; exit {code}"]
    container = {"name": "main", "image": "busybox", "command": command, "resources": {"requests": {"cpu": "100m"}}}
    keys = {f"jobflow.dev/{key.replace('_', '-')}": value for key, value in (annotations or {}).items()}
    pod = {"metadata": {"annotations": keys}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": JOBTEMPLATE.api_version,
        "kind": "JobTemplate",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"minAvailable": replicas, "tasks": [{"name": "w", "replicas": replicas, "template": pod}]},
    }


def jobflow(namespace: str, name: str, steps: Steps, **spec: Any) -> Body:
    """A JobFlow; each step is given as its targets or as a dict of whatever it says besides its name."""
    flows = [{"name": step} | (said if isinstance(said, dict) else targets(*said)) for step, said in steps.items()]
    return {
        "apiVersion": JOBFLOW.api_version,
        "kind": "JobFlow",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"flows": flows} | spec,
    }


def targets(*names: str, **more: Any) -> Body:
    """`dependsOn` of a step; `more`: strategy, condition, ..."""
    return {"dependsOn": {"targets": list(names)} | more} if names else {}


def phase(flow: Body) -> str:
    return str(((flow.get("status") or {}).get("state") or {}).get("phase", ""))


def job_phase(job: Body) -> str:
    return str(((job.get("status") or {}).get("state") or {}).get("phase", ""))


def step_of(flow: Body, name: str) -> Body:
    return next((each for each in (flow.get("status") or {}).get("steps") or [] if each["name"] == name), {})


def phases(flow: Body) -> dict[str, str]:
    return {each["name"]: each["phase"] for each in (flow.get("status") or {}).get("steps") or []}
