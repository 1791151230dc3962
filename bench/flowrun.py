"""One measured run of flows on one side: set up, run until every flow has ended, count what it took, clean up."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec

from bench import audit, bodies
from bench.bodies import Graph
from bench.ground import SETTLE_SECONDS, BenchCluster
from bench.peer import FLOWS, PODS, Side
from bench.procstat import Usage
from bench.simulator import FlowTimeline, SimulatedKubelet
from bench.stats import percentiles
from shared.kinds import JOBFLOW, JOBTEMPLATE
from shared.model.types import Body

START_SECONDS: Final = 60.0


class BadRun(RuntimeError):
    """A load did not end as it must, so its figures mean nothing."""


class Meter(msgspec.Struct):
    """Requests, CPU time and memory of one side since `start`."""

    ground: BenchCluster
    side: Side
    before: Usage
    server_before: float

    @classmethod
    def start(cls, ground: BenchCluster, side: Side) -> "Meter":
        ground.trail.mark()
        return cls(ground, side, side.usage(ground), ground.server_cpu())

    async def read(self, steps: int, settle: float = SETTLE_SECONDS) -> Body:
        await asyncio.sleep(settle)
        after = self.side.usage(self.ground)
        asked = audit.of_agent(self.ground.trail.since(), self.side.agent)
        cpu, server = after.cpu - self.before.cpu, self.ground.server_cpu() - self.server_before
        used = {"controller_cpu_s": cpu, "api_server_cpu_s": server, "controller_and_api_server_cpu_s": cpu + server}
        used["controller_peak_mib"] = after.peak
        return used | audit.costs(asked, steps)


@contextlib.asynccontextmanager
async def stage(ground: BenchCluster, side: Side, graph: Graph, what: str = FLOWS) -> AsyncIterator[FlowTimeline]:
    """A namespace with templates for the graph, somebody who completes its Jobs, and the side's controller, at work."""
    async with contextlib.AsyncExitStack() as stack:
        namespace = await stack.enter_async_context(ground.namespace())
        await ground.create_all(JOBTEMPLATE, bodies.templates(namespace, {**graph, "warm": ()}))
        observer = FlowTimeline(ground.api, namespace, complete_jobs=what == FLOWS)
        await stack.enter_async_context(observer.running())
        if what == PODS:
            kubelet = SimulatedKubelet(ground.api, namespace, admit=not side.gates)
            await stack.enter_async_context(kubelet.running())
        side.start(ground, what)
        stack.callback(side.stop, ground)
        await _warm(ground, observer, namespace)
        yield observer


async def _warm(ground: BenchCluster, observer: FlowTimeline, namespace: str) -> None:
    """Until the first flow's only Job is completed: caches are filled, connections open."""
    await ground.api.create(JOBFLOW, bodies.flow(namespace, "warm", {"warm": ()}))
    async with asyncio.timeout(START_SECONDS):
        await observer.until(lambda: "warm-warm" in observer.completed)
    await asyncio.sleep(0.5)


async def run(
    ground: BenchCluster,
    side: Side,
    observer: FlowTimeline,
    flows: Mapping[str, Graph],
    *,
    rate: float = 0,
    settle: float = SETTLE_SECONDS,
) -> Body:
    """Create the flows, at once or `rate` a second; when all have succeeded, what it took.

    `settle`: seconds to wait for late writes, which count too.
    """
    meter = Meter.start(ground, side)
    steps = sum(len(graph) for graph in flows.values())
    started = time.perf_counter()
    await _create(ground, observer.namespace, flows, rate)
    await observer.until(lambda: observer.ended.keys() >= flows.keys())
    seconds = max(observer.ended[name] for name in flows) - started
    failed = [name for name in flows if observer.phases[name] != "Succeed"]
    missing = [job for job in _jobs(flows) if job not in observer.created]
    if failed or missing:
        raise BadRun(f"failed: {failed[:5]}; Jobs that never were: {missing[:5]}")
    found = {"seconds": seconds, "steps_per_second": steps / seconds}
    gaps = [1000 * gap for gap in _gaps(observer, flows)]
    return found | percentiles(gaps, "next_step_ms", 50, 99) | await meter.read(steps, settle)


async def _create(ground: BenchCluster, namespace: str, flows: Mapping[str, Graph], rate: float) -> None:
    made = [bodies.flow(namespace, name, graph) for name, graph in flows.items()]
    if not rate:
        await ground.create_all(JOBFLOW, made)
        return
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for at, body in enumerate(made):
            await asyncio.sleep(max(0.0, started + at / rate - time.perf_counter()))
            group.create_task(ground.api.create(JOBFLOW, body))


def _gaps(observer: FlowTimeline, flows: Mapping[str, Graph]) -> list[float]:
    """Seconds from the completion of a step's last target until its Job is seen."""
    return [
        observer.created[f"{name}-{step}"] - max(observer.completed[f"{name}-{target}"] for target in targets)
        for name, graph in flows.items()
        for step, targets in graph.items()
        if targets
    ]


def _jobs(flows: Mapping[str, Graph]) -> Sequence[str]:
    return [f"{name}-{step}" for name, graph in flows.items() for step in graph]
