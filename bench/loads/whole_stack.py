"""(j) 50 flows of five steps through Jobs, pod groups and pods: all controllers with simulated kubelets."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import DIAMOND
from bench.cluster import BenchCluster
from bench.loads.job_pods import with_nodes
from bench.peer import PODS, Side

FLOWS: Final = 50


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    async with (
        with_nodes(bench_cluster, "--no-scheduler"),
        flowrun.stage(bench_cluster, side, DIAMOND, PODS) as observer,
    ):
        return await flowrun.run(bench_cluster, side, observer, {f"f{at}": DIAMOND for at in range(FLOWS)})
