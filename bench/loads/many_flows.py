"""Many flows of five steps: (b) all at once, for throughput; (e) one after the other, for the time from a completion to
the next Job; (r) all at once, every other one fails, for the time from the status of a flow to the Event about its end.
"""

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

AT_ONCE: Final = 200
TRICKLE: Final = 2000
RATE: Final = 50.0  # flows a second
ENDING: Final = 300
FAILS: Final = "c"  # the step whose Job fails
ENDS: Final[Mapping[str, str]] = {"Succeed": "Succeeded", "Failed": "Failed"}
"""The reason of the Event, by the phase of the flow."""


async def at_once(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    async with flowrun.stage(bench_cluster, side, DIAMOND) as observer:
        return await flowrun.run(bench_cluster, side, observer, {f"f{at}": DIAMOND for at in range(AT_ONCE)})


async def trickle(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    """2000 flows, times the scale, 50 a second."""
    count = max(1, round(TRICKLE * scale))
    async with flowrun.stage(bench_cluster, side, DIAMOND) as observer:
        found = await flowrun.run(bench_cluster, side, observer, {f"f{at}": DIAMOND for at in range(count)}, rate=RATE)
    return {"flows": count} | found


class FailingTimeline(FlowTimeline):
    """Lets the Job of step FAILS fail in every flow with an odd number."""

    def result(self, job: str) -> str:
        flow, _, step = job.rpartition("-")
        return "Failed" if step == FAILS and flow[-1:] in set("13579") else "Completed"


async def event_delay(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    stored: dict[tuple[str, str], float] = {}

    def see(event: WatchEvent) -> None:
        about = event.object["involvedObject"]["name"], event.object["reason"]
        stored.setdefault(about, time.perf_counter())

    flows = {f"f{at}": DIAMOND for at in range(ENDING)}
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
