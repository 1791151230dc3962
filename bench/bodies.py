"""The objects that loads create."""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE
from shared.model.types import Body

Graph = Mapping[str, Sequence[str]]
TEMPLATE: Final = "work"
DIAMOND: Final[Graph] = {"a": (), "b": ("a",), "c": ("b",), "d": ("b",), "e": ("c", "d")}
"""Five steps with a fork and a join, as in Volcano's example."""


def chain(length: int) -> Graph:
    return {f"s{at}": (f"s{at - 1}",) if at else () for at in range(length)}


def independent(count: int) -> Graph:
    return {f"s{at}": () for at in range(count)}


def layers(count: int) -> Graph:
    """Two steps per layer, each of which depends on both steps of the layer before: 2**count paths."""
    return {f"{side}{at}": (f"a{at - 1}", f"b{at - 1}") if at else () for at in range(count) for side in ("a", "b")}


def templates(namespace: str, graph: Graph, pods: int = 1) -> list[Body]:
    """A JobTemplate for each step with the name of the step, which every JobFlow controller supports."""
    return [
        {
            "apiVersion": JOBTEMPLATE.api_version,
            "kind": "JobTemplate",
            "metadata": {"name": step, "namespace": namespace},
            "spec": job_spec(pods),
        }
        for step in graph
    ]


def flow(namespace: str, name: str, graph: Graph) -> Body:
    steps = [{"name": step} | ({"dependsOn": {"targets": list(on)}} if on else {}) for step, on in graph.items()]
    return {
        "apiVersion": JOBFLOW.api_version,
        "kind": "JobFlow",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"flows": steps, "jobRetainPolicy": "retain"},
    }


def job(namespace: str, name: str, pods: int, seconds: float = 1) -> Body:
    return {
        "apiVersion": JOB.api_version,
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": job_spec(pods, seconds),
    }


def job_spec(pods: int, seconds: float = 1) -> Body:
    """One task with all fields set, so that no webhook has to set defaults."""
    container = {
        "name": "main",
        "image": "busybox:1",
        "command": ["sh", "-c", f"sleep {seconds:g}"],
        "resources": {"requests": {"cpu": "10m"}},
    }
    task = {
        "name": "w",
        "replicas": pods,
        "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
    }
    return {"schedulerName": "volcano", "queue": "default", "minAvailable": pods, "maxRetry": 3, "tasks": [task]}
