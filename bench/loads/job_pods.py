"""(f) 100 Jobs of 12 pods, and one of 1000, on simulated nodes: the Job controller and gang admission."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

from bench import bodies
from bench.cluster import BenchCluster
from bench.flowrun import Meter
from bench.peer import PODS, Side
from bench.simulator import FlowTimeline
from local.client.blocking import until
from shared.kinds import JOB, NODE

JOBS: Final = 100
PODS_EACH: Final = 12
LARGE: Final = 1000
NODES: Final = 4


@contextlib.asynccontextmanager
async def with_nodes(bench_cluster: BenchCluster, *arguments: str) -> AsyncIterator[None]:
    """Simulated nodes with enough capacity, and a clock so fast that pods end at once."""
    cluster = bench_cluster.cluster
    cluster.options = replace(
        cluster.options, nodes=NODES, cpu="640", memory="2560Gi", speed=1000.0, nodes_args=("--pods=5000", *arguments)
    )
    cluster.start_nodes()
    try:
        await asyncio.to_thread(until, lambda: cluster.kube.list(NODE), 30, lambda: "no nodes")
        yield
    finally:
        cluster.processes.stop("nodes")
        cluster.options = replace(cluster.options, nodes=0)


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    async with with_nodes(bench_cluster):
        many = await _jobs(bench_cluster, side, JOBS, PODS_EACH)
        large = await _jobs(bench_cluster, side, 1, LARGE)
    found = {f"jobs_100x12_{name}": value for name, value in many.items() if name != "by_verb"}
    return found | {f"job_1x1000_{name}": value for name, value in large.items()} | {"by_verb": many["by_verb"]}


async def _jobs(bench_cluster: BenchCluster, side: Side, count: int, pods: int) -> dict[str, Any]:
    async with contextlib.AsyncExitStack() as stack:
        namespace = await stack.enter_async_context(bench_cluster.namespace())
        observer = await stack.enter_async_context(
            FlowTimeline(bench_cluster.api, namespace, complete_jobs=False).running()
        )
        side.start(bench_cluster, PODS)
        stack.callback(side.stop, bench_cluster)
        await asyncio.sleep(1)
        meter = Meter.start(bench_cluster, side)
        started = time.perf_counter()
        made = [bodies.job(namespace, f"j{at}", pods) for at in range(count)]
        await bench_cluster.create_all(JOB, made)
        await observer.until(lambda: len(observer.completed) == count)
        seconds = max(observer.completed.values()) - started
        read = await meter.read(count * pods)
    cost = {"writes_per_pod": read["writes_per_step"], "reads_per_pod": read["reads_per_step"]}
    used = {name: read[name] for name in ("controller_cpu_s", "controller_peak_mib", "by_verb")}
    return {"seconds": seconds, "pods_per_second": count * pods / seconds} | cost | used
