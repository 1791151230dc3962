"""(d) One flow of 200 steps, each of which depends on the one before: the time from step to step."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import chain
from bench.cluster import BenchCluster
from bench.peer import Side

STEPS: Final = 200


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    graph = chain(STEPS)
    async with flowrun.stage(bench_cluster, side, graph) as observer:
        found = await flowrun.run(bench_cluster, side, observer, {"chain": graph})
    return found | {"ms_per_step": found["seconds"] * 1000 / STEPS}
