"""(r) How long after the status of a flow the Event about its end is stored: 300 flows at once, every other one fails."""

import time
from collections.abc import Mapping
from typing import Any, Final

from bench import bodies, flowrun
from bench.bodies import DIAMOND
from bench.cluster import BenchCluster
from bench.peer import Side
from bench.simulator import FlowTimeline, Tasks, follow
from bench.stats import percentiles
from shared.kinds import EVENT, JOBFLOW
from shared.kube.client.reader import WatchEvent

FLOWS: Final = 300
FAILS: Final = "c"  # the step whose Job fails
ENDS: Final[Mapping[str, str]] = {"Succeed": "Succeeded", "Failed": "Failed"}
"""The reason of the Event, by the phase of the flow."""


class FailingTimeline(FlowTimeline):
    """Lets the Job of step FAILS fail in every flow with an odd number."""

    def result(self, job: str) -> str:
        flow, _, step = job.rpartition("-")
        return "Failed" if step == FAILS and flow[-1:] in set("13579") else "Completed"


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    stored: dict[tuple[str, str], float] = {}

    def see(event: WatchEvent) -> None:
        about = event.object["involvedObject"]["name"], event.object["reason"]
        stored.setdefault(about, time.perf_counter())

    flows = {f"f{at}": DIAMOND for at in range(FLOWS)}
    tasks = Tasks()
    try:
        async with flowrun.stage(bench_cluster, side, DIAMOND, timeline=FailingTimeline) as observer:
            await follow(bench_cluster.api, EVENT, observer.namespace, see, tasks)
            made = [bodies.flow(observer.namespace, name, graph) for name, graph in flows.items()]
            await bench_cluster.create_all(JOBFLOW, made)
            await observer.until(lambda: observer.ended.keys() >= flows.keys())
            await observer.until(lambda: all((name, _reason(observer, name)) in stored for name in flows))
    finally:
        await tasks.close()
    found: dict[str, Any] = {"events": len(stored)}
    for phase, reason in ENDS.items():
        delays = [stored[name, reason] - observer.ended[name] for name in flows if observer.phases[name] == phase]
        found |= percentiles(delays, f"{reason.lower()}_event_s", 50, 95, 100)
    return found


def _reason(observer: FlowTimeline, flow: str) -> str:
    return ENDS[observer.phases[flow]]
