"""(p) `jobflow list` and `jobflow status` beside kubectl, with 1500 flows in the namespace."""

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from bench import bodies
from bench.bodies import DIAMOND
from bench.cluster import BenchCluster
from bench.loads.memory import FLOW_STATUS, fill
from bench.peer import Side
from shared.kinds import JOBFLOW, JOBTEMPLATE

FLOWS: Final = 1500
_STATUS: Final = {**FLOW_STATUS, "progress": "5/5", "counts": {"completed": 5}, "duration": "1m30s"}
TRIES: Final = 3


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    """Seconds and CPU seconds of each command; the fastest of three runs."""
    found: dict[str, Any] = {}
    async with bench_cluster.namespace() as namespace:
        await bench_cluster.create_all(JOBTEMPLATE, bodies.templates(namespace, DIAMOND))
        made = [bodies.flow(namespace, f"f{at}", DIAMOND) for at in range(FLOWS)]
        await fill(bench_cluster, JOBFLOW, made, _STATUS)
        for name, command in _commands(bench_cluster, namespace).items():
            runs = [await asyncio.to_thread(_run, command) for _ in range(TRIES)]
            found[f"{name}_s"] = min(seconds for seconds, _ in runs)
            found[f"{name}_cpu_s"] = min(cpu for _, cpu in runs)
    return found


def _commands(bench_cluster: BenchCluster, namespace: str) -> dict[str, list[str]]:
    where = [f"--kubeconfig={bench_cluster.cluster.kubeconfig}", f"--namespace={namespace}"]
    jobflow = [sys.executable, "-m", "cli.main"]
    commands = {"list": [*jobflow, "list", *where], "status": [*jobflow, "status", "f0", *where]}
    if tool := bench_cluster.cluster.kubectl.tool:
        commands["kubectl_get"] = [str(tool), "get", "jobflows.flow.volcano.sh", *where]
        commands["kubectl_get_one"] = [str(tool), "get", "jobflows.flow.volcano.sh", "f0", *where]
    return commands


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and CPU seconds. Raises CalledProcessError when the command fails."""
    before, started = _cpu_of_children(), time.perf_counter()
    # the first run writes the bytecode that an installed command has
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
    return time.perf_counter() - started, _cpu_of_children() - before


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
