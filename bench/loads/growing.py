"""(i) Flows of 10, 100 and 1000 steps: CPU time of the controller per step, which must not grow with the flow."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import Graph, chain, independent
from bench.cluster import BenchCluster
from bench.peer import Side

SIZES: Final = (10, 100, 1000)


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for size in SIZES:
        shapes: dict[str, Graph] = {"wide": independent(size), "chain": chain(size)}
        for shape, graph in shapes.items():
            async with flowrun.stage(bench_cluster, side, graph) as observer:
                run = await flowrun.run(bench_cluster, side, observer, {shape: graph})
            found[f"{shape}_{len(graph)}_cpu_ms_per_step"] = run["controller_cpu_s"] * 1000 / len(graph)
    return found
