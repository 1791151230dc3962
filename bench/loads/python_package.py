"""(n) The Python package: the import, a first flow, a first lint, a first simulation, and one of 1000 steps (times the scale).

Every use is a new process, and none needs the cluster.
"""

import asyncio
import json
import sys
from typing import Any, Final

from bench.cluster import BenchCluster
from bench.peer import Side

STEPS: Final = 10_000  # at the full scale
_BUILD: Final = """
from jobflow import Flow, Job
with Flow("f") as flow:
    a, b = Job("a", image="i", outputs=["x"]), Job("b", image="i")
    a >> b
    b.when(a.outputs["x"].as_int() > 1)
flow.manifests()
"""
_CHAIN: Final = """
from itertools import pairwise
from jobflow import Flow, Template
with Flow("chain") as flow:
    for one, other in pairwise([Template(f"s{number}", "t") for number in range(STEPS)]):
        one >> other
"""
_USES: Final = {
    "nothing": "",
    "import": "import jobflow",
    "build": _BUILD,
    "lint": f"{_BUILD}assert flow.lint().ok",
    "simulate": f"{_BUILD}assert flow.simulate(outputs={{'a': {{'x': 2}}}}).succeeded",
    "chain_build": f"{_CHAIN}flow.manifests()",
    "chain_lint": f"{_CHAIN}assert flow.lint().ok",
    "chain_simulate": f"{_CHAIN}assert flow.simulate().succeeded",
}
_MEASURE: Final = """
import json, re, time
started = time.process_time()
{use}
seconds = time.process_time() - started
peak = int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps([seconds, peak]))
"""


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    """CPU milliseconds and peak MiB of each use, by itself; the chain has `steps` steps."""
    steps = max(2, round(STEPS * scale))
    found: dict[str, Any] = {"steps": steps}
    for name, use in _USES.items():
        seconds, peak = await _run(use.replace("STEPS", str(steps)))
        found |= {f"{name}_ms": seconds * 1000, f"{name}_mib": peak}
    return found


async def _run(use: str) -> tuple[float, float]:
    program = _MEASURE.format(use=use)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the program ended with {process.returncode}:\n{program}")
    seconds, peak = json.loads(out)
    return seconds, peak
