"""One measured run of flows with one controller: set up, wait until every flow has ended, measure, clean up."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec

from bench import audit, bodies
from bench.bodies import Graph
from bench.cluster import SETTLE_SECONDS, BenchCluster
from bench.peer import FLOWS, PODS, Side
from bench.procstat import Usage
from bench.simulator import FlowTimeline, SimulatedKubelet
from bench.stats import percentiles
from shared.kinds import JOBFLOW, JOBTEMPLATE
from shared.model.types import Body

START_SECONDS: Final = 60.0


class BadRun(RuntimeError):
    """A load did not end as expected, so its figures are invalid."""


class Meter(msgspec.Struct):
    """Requests, CPU time and memory of one side since `start`."""

    bench_cluster: BenchCluster
    side: Side
    before: Usage
    server_before: float

    @classmethod
    def start(cls, bench_cluster: BenchCluster, side: Side) -> "Meter":
        bench_cluster.trail.mark()
        return cls(bench_cluster, side, side.usage(bench_cluster), bench_cluster.server_cpu())

    async def read(self, steps: int, settle: float = SETTLE_SECONDS) -> Body:
        await asyncio.sleep(settle)
        after = self.side.usage(self.bench_cluster)
        asked = audit.of_agent(self.bench_cluster.trail.since(), self.side.agent)
        cpu, server = after.cpu - self.before.cpu, self.bench_cluster.server_cpu() - self.server_before
        used = {"controller_cpu_s": cpu, "api_server_cpu_s": server, "controller_and_api_server_cpu_s": cpu + server}
        used["controller_peak_mib"] = after.peak
        return used | audit.costs(asked, steps)


@contextlib.asynccontextmanager
async def stage(
    bench_cluster: BenchCluster,
    side: Side,
    graph: Graph,
    what: str = FLOWS,
    *,
    timeline: type[FlowTimeline] = FlowTimeline,
) -> AsyncIterator[FlowTimeline]:
    """Start the controller in a namespace with templates for the graph, and a simulator that completes Jobs."""
    async with contextlib.AsyncExitStack() as stack:
        namespace = await stack.enter_async_context(bench_cluster.namespace())
        await bench_cluster.create_all(JOBTEMPLATE, bodies.templates(namespace, {**graph, "warm": ()}))
        observer = timeline(bench_cluster.api, namespace, complete_jobs=what == FLOWS)
        await stack.enter_async_context(observer.running())
        if what == PODS:
            kubelet = SimulatedKubelet(bench_cluster.api, namespace, admit=not side.gates)
            await stack.enter_async_context(kubelet.running())
        side.start(bench_cluster, what)
        stack.callback(side.stop, bench_cluster)
        await _warm(bench_cluster, observer, namespace)
        yield observer


async def _warm(bench_cluster: BenchCluster, observer: FlowTimeline, namespace: str) -> None:
    """Wait until the only Job of a first flow is completed. Caches are then filled and connections open."""
    await bench_cluster.api.create(JOBFLOW, bodies.flow(namespace, "warm", {"warm": ()}))
    async with asyncio.timeout(START_SECONDS):
        await observer.until(lambda: "warm-warm" in observer.completed)
    await asyncio.sleep(0.5)


async def run(
    bench_cluster: BenchCluster,
    side: Side,
    observer: FlowTimeline,
    flows: Mapping[str, Graph],
    *,
    rate: float = 0,
    settle: float = SETTLE_SECONDS,
) -> Body:
    """Create the flows, all at once or `rate` a second, and wait until all have succeeded. Returns the figures.

    `settle`: seconds to wait for late writes, which count too.
    """
    meter = Meter.start(bench_cluster, side)
    steps = sum(len(graph) for graph in flows.values())
    started = time.perf_counter()
    await _create(bench_cluster, observer.namespace, flows, rate)
    await observer.until(lambda: observer.ended.keys() >= flows.keys())
    seconds = max(observer.ended[name] for name in flows) - started
    failed = [name for name in flows if observer.phases[name] != "Succeed"]
    missing = [job for job in _jobs(flows) if job not in observer.created]
    if failed or missing:
        raise BadRun(f"failed: {failed[:5]}; Jobs that were never created: {missing[:5]}")
    found = {"seconds": seconds, "steps_per_second": steps / seconds}
    gaps = [1000 * gap for gap in _gaps(observer, flows)]
    return found | percentiles(gaps, "next_step_ms", 50, 99) | await meter.read(steps, settle)


async def _create(bench_cluster: BenchCluster, namespace: str, flows: Mapping[str, Graph], rate: float) -> None:
    made = [bodies.flow(namespace, name, graph) for name, graph in flows.items()]
    if not rate:
        await bench_cluster.create_all(JOBFLOW, made)
        return
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for at, body in enumerate(made):
            await asyncio.sleep(max(0.0, started + at / rate - time.perf_counter()))
            group.create_task(bench_cluster.api.create(JOBFLOW, body))


def _gaps(observer: FlowTimeline, flows: Mapping[str, Graph]) -> list[float]:
    """Seconds from the completion of the last dependency of a step until its Job is seen."""
    return [
        observer.created[f"{name}-{step}"] - max(observer.completed[f"{name}-{target}"] for target in targets)
        for name, graph in flows.items()
        for step, targets in graph.items()
        if targets
    ]


def _jobs(flows: Mapping[str, Graph]) -> Sequence[str]:
    return [f"{name}-{step}" for name, graph in flows.items() for step in graph]
