"""(h) 10 000 ended JobFlows and 20 000 ended Jobs (times the scale), in the caches of a controller that starts."""

import asyncio
import time
from typing import Any, Final

from bench import bodies
from bench.bodies import DIAMOND
from bench.cluster import BenchCluster
from bench.peer import FLOWS, Side
from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, Kind

IDLE_FLOWS: Final = 10_000
IDLE_JOBS: Final = 20_000
CHUNK: Final = 500
ENDED_AT: Final = "2026-01-02T03:04:05Z"
FLOW_STATUS: Final = {
    "state": {"phase": "Succeed"},
    "startTime": ENDED_AT,
    "completionTime": ENDED_AT,
    "completedJobs": [],
}
JOB_STATUS: Final = {"state": {"phase": "Completed"}, "minAvailable": 1, "succeeded": 1}


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    flows, jobs = round(IDLE_FLOWS * scale), round(IDLE_JOBS * scale)
    async with bench_cluster.namespace() as namespace:
        await bench_cluster.create_all(JOBTEMPLATE, bodies.templates(namespace, DIAMOND))
        await fill(
            bench_cluster, JOBFLOW, [bodies.flow(namespace, f"f{at}", DIAMOND) for at in range(flows)], FLOW_STATUS
        )
        await fill(bench_cluster, JOB, [bodies.job(namespace, f"j{at}", 1) for at in range(jobs)], JOB_STATUS)
        started = time.perf_counter()
        side.start(bench_cluster, FLOWS)
        ready = time.perf_counter() - started
        try:
            await asyncio.sleep(10)
            used = side.usage(bench_cluster)
        finally:
            side.stop(bench_cluster)
    found = {"ready_s": ready, "controller_resident_mib": used.resident, "controller_peak_mib": used.peak}
    return {"flows": flows, "jobs": jobs, **found, "controller_cpu_s": used.cpu}


async def fill(bench_cluster: BenchCluster, kind: Kind, made: list[dict[str, Any]], status: dict[str, Any]) -> None:
    for at in range(0, len(made), CHUNK):
        await asyncio.gather(*(_ended(bench_cluster, kind, body, status) for body in made[at : at + CHUNK]))


async def _ended(bench_cluster: BenchCluster, kind: Kind, body: dict[str, Any], status: dict[str, Any]) -> None:
    stored = await bench_cluster.api.create(kind, body)
    await bench_cluster.api.replace_status(kind, stored | {"status": status})
