"""(l) The age of the status that users read: of a flow with 1000 steps that start at once, and of a small flow beside
it.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from bench import flowrun
from bench.bodies import DIAMOND, Graph, independent
from bench.cluster import BenchCluster
from bench.peer import Side
from bench.simulator import FlowTimeline

STEPS: Final = 1000
SMALL_AFTER: Final = 1.0  # seconds after the large flow


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    graph = independent(STEPS)
    async with flowrun.stage(bench_cluster, side, {**graph, **DIAMOND}) as observer:
        started = time.perf_counter()
        large = asyncio.create_task(flowrun.run(bench_cluster, side, observer, {"large": graph}))
        await asyncio.sleep(SMALL_AFTER)
        small = await flowrun.run(bench_cluster, side, observer, {"small": DIAMOND}, settle=0)
        found = await large
    starts = {"large": started, "small": started + SMALL_AFTER}
    graphs: dict[str, Graph] = {"large": graph, "small": DIAMOND}
    for name, steps in graphs.items():
        found[f"{name}_first_status_s"] = observer.reported[name][0][0] - starts[name]
        found[f"{name}_oldest_status_s"] = oldest_status(observer, name, steps)
    return found | {"small_flow_s": small["seconds"]}


def oldest_status(observer: FlowTimeline, flow: str, graph: Graph) -> float:
    """The longest time in seconds for which a completed Job was missing in the status of its flow."""
    completed = sorted(observer.completed[f"{flow}-{step}"] for step in graph)
    return max(_ages(completed, observer.reported[flow]), default=0.0)


def _ages(completed: Sequence[float], reported: Sequence[tuple[float, int]]) -> list[float]:
    """For each status, how long the first completion that the one before did not count was already missing."""
    return [
        until - completed[known]
        for (_, known), (until, _) in pairwise(reported)
        if known < len(completed) and completed[known] < until
    ]
