"""The demo of `jobflow local demo`: an example flow runs from apply to Succeed, and a flow with a cycle is refused.

The manifests are those of examples/seed, carried along so that an installed package has them.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from local.client.blocking import BlockingClient, kind_of
from local.client.kubectl import Kubectl
from local.client.rest import RestError
from local.nodes.timestamps import seconds
from shared.kinds import JOBFLOW, JOBTEMPLATE
from shared.model.types import Body

MANIFESTS: Final = Path(__file__).parent / "manifests"
FILES: Final = (MANIFESTS / "jobtemplates.yaml", MANIFESTS / "jobflow.yaml")
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
_TIMEOUT_SECONDS: Final = 45.0
_POLL_SECONDS: Final = 0.2
_COLOURS: Final = {"Completed": "green", "Running": "cyan", "Failed": "red", "Skipped": "yellow"}
_ENDED: Final = ("Succeed", "Failed")


class Demo:
    """Runs on a running cluster. `speed`: that of its nodes, only for the text."""

    def __init__(self, kube: BlockingClient, kubectl: Kubectl, speed: float, console: Console) -> None:
        self._kube = kube
        self._kubectl = kubectl
        self._speed = speed
        self._console = console

    def run(self) -> bool:
        """Run the demo. Returns whether the flow succeeded and the cyclic one was refused."""
        self._say(f"Simulated nodes: `sleep 10s` takes {10 / self._speed:g} s here (speed {self._speed:g}).")
        self._delete_earlier_run()
        for file in FILES:
            self._apply(file)
        flow = self._watch()
        line = summary(flow)
        self._console.out(line, highlight=False)
        refused = self._refuse()
        self._console.out(line, highlight=False)
        return refused and phase(flow) == "Succeed"

    def _say(self, text: str) -> None:
        self._console.print(text, style="dim", highlight=False)

    def _delete_earlier_run(self) -> None:
        if self._kube.find(JOBFLOW, NAMESPACE, NAME) is not None:
            self._say(f"Deleting JobFlow {NAMESPACE}/{NAME} of an earlier run.")
            self._kube.delete(JOBFLOW, NAMESPACE, NAME, propagation="Foreground")
            self._kube.wait_gone(JOBFLOW, NAMESPACE, NAME)

    def _apply(self, file: Path) -> None:
        if self._kubectl.tool is not None:
            self._say(f"$ kubectl apply -f {_shown(file)}")
            self._console.out(self._kubectl.apply(file).rstrip(), highlight=False)
            return
        self._say(f"Applying {file} (no kubectl here, so by the Python client)")
        for document in yaml.safe_load_all(file.read_text()):
            self._kube.apply(kind_of(document, (JOBFLOW, JOBTEMPLATE)), _with_namespace(document))

    def _watch(self) -> Body:
        """The flow once it has ended. Progress is a table that changes, or without a terminal a line per change."""
        if not self._console.is_terminal:
            seen: dict[str, str] = {}
            for flow in self._polled():
                seen = self._print_changes(flow, seen)
            self._console.print(table(flow, time.time()))
            return flow
        with Live(console=self._console, auto_refresh=False) as live:
            for flow in self._polled():
                live.update(table(flow, time.time()), refresh=True)
        return flow

    def _polled(self) -> Iterator[Body]:
        """The flow as it is now, repeatedly, until it has ended or the time-out has passed."""
        end = time.monotonic() + _TIMEOUT_SECONDS
        while True:
            flow = self._kube.get(JOBFLOW, NAMESPACE, NAME)
            yield flow
            if phase(flow) in _ENDED or time.monotonic() > end:
                return
            time.sleep(_POLL_SECONDS)

    def _print_changes(self, flow: Body, seen: dict[str, str]) -> dict[str, str]:
        now = {step["name"]: step.get("phase", "Waiting") for step in steps(flow)}
        for name, at in now.items():
            if seen.get(name) != at:
                self._console.out(f"  step {name}: {at}", highlight=False)
        return now

    def _refuse(self) -> bool:
        """Apply the cyclic flow. True if it was refused."""
        self._say("$ kubectl apply -f cyclic.yaml   # a -> b -> c -> a")
        try:
            if self._kubectl.tool is not None:
                message = self._kubectl.refusal(CYCLIC).strip()
            else:
                message = self._refused_by_client()
        except AssertionError as accepted:
            self._console.print(f"The flow with a cycle was not refused: {accepted}", style="red")
            return False
        self._console.print(Panel(message, title="refused, as expected", border_style="yellow"), highlight=False)
        return True

    def _refused_by_client(self) -> str:
        try:
            self._kube.create(JOBFLOW, CYCLIC)
        except RestError as error:
            return error.message
        raise AssertionError("the cyclic flow was accepted")


def table(flow: Body, now: float) -> Table:
    """One row for each step."""
    shown = Table(title=f"JobFlow {NAMESPACE}/{NAME}  {phase(flow)}  {progress(flow)}", title_justify="left")
    for column in ("STEP", "AFTER", "PHASE", "JOB", "SECONDS"):
        shown.add_column(column)
    known = {step["name"]: step for step in steps(flow)}
    for entry in flow["spec"]["flows"]:
        step = known.get(entry["name"], {})
        at = step.get("phase", "Waiting")
        after = ", ".join((entry.get("dependsOn") or {}).get("targets") or [])
        job = f"{NAME}-{entry['name']}" if step.get("startTime") else ""
        shown.add_row(entry["name"], after, Text(at, style=_COLOURS.get(at, "dim")), job, _duration(step, now))
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


def _shown(file: Path) -> str:
    """The path relative to the current folder."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)


def _duration(step: Body, now: float) -> str:
    if not step.get("startTime"):
        return ""
    until = seconds(step["completionTime"]) if step.get("completionTime") else now
    return f"{max(until - seconds(step['startTime']), 0):.0f}"


def _with_namespace(document: Body) -> Body:
    return document | {"metadata": {"namespace": NAMESPACE} | document["metadata"]}
