"""Logs of the pods of a Job: which request reads them, in which order pods come, and why there are none."""

from typing import Final

from shared.kinds import POD
from shared.kube.client import requests
from shared.kube.client.reader import ApiReader
from shared.kube.client.requests import Request
from shared.model.types import Body
from shared.names import JOB_NAME, TASK_INDEX, TASK_SPEC
from shared.podstatus.podproblem import pod_problem

STARTED: Final = ("Running", "Succeeded", "Failed")
"""Phases of pods that may have written something."""
CONTAINER_FIELDS: Final = ("containers", "initContainers", "ephemeralContainers")


def log_request(pod: Body, container: str = "", *, follow: bool, tail: int | None = None) -> Request:
    """`container`: default: the first; `tail`: only so many lines from the end."""
    metadata = pod["metadata"]
    name = container or pod["spec"]["containers"][0]["name"]
    query = {"container": name, "follow": follow, "tailLines": tail}
    path = requests.path(POD, metadata["namespace"], metadata["name"], "log")
    return Request("get", "GET", requests.target(path, query))


def task_order(pod: Body) -> tuple[str, int, str]:
    """Sorts pods by task and index."""
    labels = pod["metadata"].get("labels") or {}
    index = labels.get(TASK_INDEX, "")
    return labels.get(TASK_SPEC, ""), int(index) if index.isdigit() else 0, pod["metadata"]["name"]


async def pods_of_job(api: ApiReader, namespace: str, job: str, task: str = "") -> list[Body]:
    """In task_order. `task`: only its pods. Raises ApiError."""
    selector = f"{JOB_NAME}={job}" + (f",{TASK_SPEC}={task}" if task else "")
    return sorted([pod async for pod in api.list(POD, namespace, label_selector=selector)], key=task_order)


def container_names(pods: list[Body]) -> list[str]:
    """Of all pods, each once."""
    found = (each["name"] for pod in pods for field in CONTAINER_FIELDS for each in pod["spec"].get(field) or ())
    return list(dict.fromkeys(found))


def why_no_logs(pod: Body) -> str:
    """Why the pod has not written anything; empty if nothing is wrong."""
    status = pod.get("status") or {}
    if (problem := pod_problem(pod)) is not None:
        return str(problem)
    gates = (pod.get("spec") or {}).get("schedulingGates") or ()
    if gates and not (pod.get("spec") or {}).get("nodeName"):
        names = ", ".join(str(gate.get("name")) for gate in gates)
        return f"waits for its gang to be admitted (scheduling gate {names}); see jobflow job view"
    if (status.get("phase") or "Pending") != "Pending":
        return ""
    name = pod["metadata"]["name"]
    return f"not started yet; kubectl describe pod {name} shows what it waits for"
