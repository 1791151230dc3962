"""What `make demo` shows: the seed's flow from apply to Succeed, live, and a flow with a cycle being refused."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from local.client.blocking import BlockingClient, kind_of
from local.client.kubectl import Kubectl
from local.client.rest import RestError
from local.nodes.timestamps import seconds
from shared.kinds import JOBFLOW, JOBTEMPLATE
from shared.model.types import Body

SEED: Final = Path("examples/seed")
FILES: Final = (SEED / "jobtemplates.yaml", SEED / "jobflow.yaml")
NAMESPACE, NAME = "default", "test"
CYCLIC: Final = {
    "apiVersion": "flow.volcano.sh/v1alpha1",
    "kind": "JobFlow",
    "metadata": {"name": "round", "namespace": NAMESPACE},
    "spec": {
        "flows": [
            {"name": "a", "dependsOn": {"targets": ["c"]}},
            {"name": "b", "dependsOn": {"targets": ["a"]}},
            {"name": "c", "dependsOn": {"targets": ["b"]}},
        ]
    },
}
_PATIENCE: Final = 45.0
_LOOK_EVERY: Final = 0.2
_COLOURS: Final = {"Completed": "green", "Running": "cyan", "Failed": "red", "Skipped": "yellow"}
_ENDED: Final = ("Succeed", "Failed")


class Demo:
    """Runs on a cluster that is up; `speed` is only told, the nodes keep it."""

    def __init__(self, kube: BlockingClient, kubectl: Kubectl, speed: float, console: Console) -> None:
        self._kube = kube
        self._kubectl = kubectl
        self._speed = speed
        self._console = console

    def run(self) -> int:
        """The exit code: 0 when the flow succeeded and the cyclic one was refused."""
        self._say(f"Simulated nodes: `sleep 10s` takes {10 / self._speed:g} s here (speed {self._speed:g}).")
        for file in FILES:
            self._apply(file)
        flow = self._watch()
        line = summary(flow)
        self._console.out(line, highlight=False)
        refused = self._refuse()
        self._console.out(line, highlight=False)
        return 0 if refused and phase(flow) == "Succeed" else 1

    def _say(self, text: str) -> None:
        self._console.print(text, style="dim", highlight=False)

    def _apply(self, file: Path) -> None:
        if self._kubectl.tool is not None:
            self._say(f"$ kubectl apply -f {file}")
            self._console.out(self._kubectl.apply(file).rstrip(), highlight=False)
            return
        self._say(f"applying {file} (no kubectl here, so by the Python client)")
        for document in yaml.safe_load_all(file.read_text()):
            self._kube.apply(kind_of(document, (JOBFLOW, JOBTEMPLATE)), _with_namespace(document))

    def _watch(self) -> Body:
        """The flow once it has ended, shown meanwhile: as a table that changes, or line by line without a terminal."""
        if not self._console.is_terminal:
            seen: dict[str, str] = {}
            for flow in self._looks():
                seen = self._tell_changes(flow, seen)
            self._console.print(table(flow, time.time()))
            return flow
        with Live(console=self._console, auto_refresh=False) as live:
            for flow in self._looks():
                live.update(table(flow, time.time()), refresh=True)
        return flow

    def _looks(self) -> Iterator[Body]:
        """The flow again and again, until it has ended or patience has."""
        end = time.monotonic() + _PATIENCE
        while True:
            flow = self._kube.get(JOBFLOW, NAMESPACE, NAME)
            yield flow
            if phase(flow) in _ENDED or time.monotonic() > end:
                return
            time.sleep(_LOOK_EVERY)

    def _tell_changes(self, flow: Body, seen: dict[str, str]) -> dict[str, str]:
        now = {step["name"]: step.get("phase", "Waiting") for step in steps(flow)}
        for name, at in now.items():
            if seen.get(name) != at:
                self._console.out(f"  step {name}: {at}", highlight=False)
        return now

    def _refuse(self) -> bool:
        """Apply the cyclic flow; whether it was refused."""
        self._say("$ kubectl apply -f cyclic.yaml   # a -> b -> c -> a")
        try:
            if self._kubectl.tool is not None:
                told = self._kubectl.refusal(CYCLIC).strip()
            else:
                told = self._refused_by_client()
        except AssertionError as accepted:
            self._console.print(f"not refused: {accepted}", style="red")
            return False
        self._console.print(Panel(told, title="refused, as it should be", border_style="yellow"), highlight=False)
        return True

    def _refused_by_client(self) -> str:
        try:
            self._kube.create(JOBFLOW, CYCLIC)
        except RestError as error:
            return error.message
        raise AssertionError("the cyclic flow was accepted")


def table(flow: Body, now: float) -> Table:
    """The flow at a glance: one row a step."""
    shown = Table(title=f"JobFlow {NAMESPACE}/{NAME}  {phase(flow)}  {progress(flow)}", title_justify="left")
    for column in ("STEP", "AFTER", "PHASE", "JOB", "SECONDS"):
        shown.add_column(column)
    known = {step["name"]: step for step in steps(flow)}
    for entry in flow["spec"]["flows"]:
        step = known.get(entry["name"], {})
        at = step.get("phase", "Waiting")
        after = ", ".join((entry.get("dependsOn") or {}).get("targets") or [])
        job = f"{NAME}-{entry['name']}" if step.get("startTime") else ""
        shown.add_row(entry["name"], after, f"[{_COLOURS.get(at, 'dim')}]{at}", job, _lasted(step, now))
    return shown


def summary(flow: Body) -> str:
    """`jobflow default/test Succeed 5/5`"""
    return f"jobflow {NAMESPACE}/{NAME} {phase(flow)} {progress(flow)}"


def phase(flow: Body) -> str:
    return str(((flow.get("status") or {}).get("state") or {}).get("phase") or "Pending")


def progress(flow: Body) -> str:
    return str((flow.get("status") or {}).get("progress") or f"0/{len(flow['spec']['flows'])}")


def steps(flow: Body) -> list[Body]:
    return list((flow.get("status") or {}).get("steps") or [])


def _lasted(step: Body, now: float) -> str:
    if not step.get("startTime"):
        return ""
    until = seconds(step["completionTime"]) if step.get("completionTime") else now
    return f"{max(until - seconds(step['startTime']), 0):.0f}"


def _with_namespace(document: Body) -> Body:
    return document | {"metadata": {"namespace": NAMESPACE} | document["metadata"]}


def console() -> Console:
    return Console(file=sys.stdout, soft_wrap=False)
