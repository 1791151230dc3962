"""The behaviour of a container, from the pod's annotations, its command and the settings of the nodes."""

import re
from dataclasses import dataclass

import msgspec

from local.nodes.kubelet.script import ScriptOutcome, foresee
from local.nodes.settings import NodeSettings
from shared.model.types import Body

_PREFIX = "jobflow.dev/"


class Rule(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One entry of `jobflow.dev/behave`; see the table in `local.nodes`."""

    pod: str = ""
    container: str = ""
    run_seconds: float | str | None = None
    exit_code: int | None = None
    termination_message: str | None = None
    ready_after_seconds: float | None = None
    fail_first: int = 0

    def matches(self, pod: str, container: str) -> bool:
        return bool(re.search(self.pod, pod) and re.search(self.container, container))


@dataclass(frozen=True)
class ContainerBehaviour:
    """`seconds`: simulated (inf: until stopped); `ready_after`: None means by the readiness probe."""

    process: bool = False
    seconds: float = 0.0
    exit_code: int = 0
    message: str = ""
    output: str = ""
    ready_after: float | None = None


def plan(pod: Body, container: Body, run: int, settings: NodeSettings) -> ContainerBehaviour:
    """The behaviour of the `run`-th run (from 0) of that container under that pod name."""
    said = _said(pod, container["name"])
    course = foresee([*(container.get("command") or []), *(container.get("args") or [])])
    if _runs(pod, container["name"], settings) and container.get("command"):
        return ContainerBehaviour(process=True, ready_after=said.ready_after_seconds)
    course = course or ScriptOutcome(seconds=settings.run_seconds)
    code = course.code if said.exit_code is None else said.exit_code
    if said.fail_first:
        code = (said.exit_code or 1) if run < said.fail_first else 0
    return ContainerBehaviour(
        seconds=course.seconds if said.run_seconds is None else float(said.run_seconds),
        exit_code=code,
        message=course.message if said.termination_message is None else said.termination_message,
        output=course.output,
        ready_after=said.ready_after_seconds,
    )


def runs_processes(pod: Body, settings: NodeSettings) -> bool:
    """Whether any container runs as a local process, which needs an address of this machine."""
    containers = [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]
    return any(_runs(pod, each["name"], settings) and each.get("command") for each in containers)


def _runs(pod: Body, container: str, settings: NodeSettings) -> bool:
    said = annotation(pod, "run-command", container)
    return settings.run_commands if said is None else said == "true"


def _said(pod: Body, container: str) -> Rule:
    behave = (pod["metadata"].get("annotations") or {}).get(f"{_PREFIX}behave")
    if behave is not None:
        for rule in msgspec.json.decode(behave, type=tuple[Rule, ...]):
            if rule.matches(pod["metadata"]["name"], container):
                return rule
    seconds = annotation(pod, "run-seconds", container)
    code = annotation(pod, "exit-code", container)
    ready = annotation(pod, "ready-after-seconds", container)
    return Rule(
        run_seconds=seconds,
        exit_code=None if code is None else int(code),
        termination_message=annotation(pod, "termination-message", container),
        ready_after_seconds=None if ready is None else float(ready),
        fail_first=int(annotation(pod, "fail-first", container) or 0),
    )


def annotation(pod: Body, key: str, container: str) -> str | None:
    annotations = pod["metadata"].get("annotations") or {}
    return annotations.get(f"{_PREFIX}{key}.{container}", annotations.get(f"{_PREFIX}{key}"))
