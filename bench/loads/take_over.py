"""(o) Two controllers share a lease. The leader is killed in the middle of a chain: how soon the other one continues."""

import asyncio
import time
from typing import Any, Final

from bench import bodies
from bench.bodies import chain
from bench.cluster import BenchCluster
from bench.peer import Side
from bench.simulator import FlowTimeline
from shared.kinds import JOBFLOW, JOBTEMPLATE

STEPS: Final = 400  # a chain that lasts for some seconds
BEFORE: Final = 20  # steps that the first leader starts
PAIR: Final = ("one", "two")
LEADS: Final = 'leader_election_master_status{name="jobflow-controller"} 1.0'


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    """`first_progress_s`: from the kill to the first Job that the new leader creates."""
    graph = chain(STEPS)
    cluster = bench_cluster.cluster
    async with bench_cluster.namespace() as namespace:
        await bench_cluster.create_all(JOBTEMPLATE, bodies.templates(namespace, graph))
        observer = FlowTimeline(bench_cluster.api, namespace)
        async with observer.running():
            try:
                for name in PAIR:
                    await asyncio.to_thread(cluster.start_controller, name, ("--no-job-controller",))
                for name in PAIR:
                    await asyncio.to_thread(cluster.await_ready, name)
                await bench_cluster.api.create(JOBFLOW, bodies.flow(namespace, "chain", graph))
                await observer.until(lambda: len(observer.created) >= BEFORE)
                killed = await asyncio.to_thread(_kill_leader, bench_cluster)
                await observer.until(lambda: _first_after(observer, killed) > 0)
            finally:
                for name in PAIR:
                    cluster.processes.stop(name)
    return {"first_progress_s": _first_after(observer, killed) - killed}


def _kill_leader(bench_cluster: BenchCluster) -> float:
    leader = next(name for name in PAIR if LEADS in bench_cluster.cluster.metrics(name))
    bench_cluster.cluster.kill_controller(name=leader)
    return time.perf_counter()


def _first_after(observer: FlowTimeline, killed: float) -> float:
    """When the first Job appeared that the dead leader cannot have created: its last ones may be seen late."""
    late = [at for at in observer.created.values() if at > killed + 1.0]
    return min(late, default=0.0)
