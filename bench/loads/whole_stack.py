"""(j) 50 flows of five steps through Jobs, pod groups and pods: every controller at work, kubelets simulated."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import DIAMOND
from bench.ground import BenchCluster
from bench.loads.job_pods import with_nodes
from bench.peer import PODS, Side

FLOWS: Final = 50


async def measure(ground: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    async with with_nodes(ground, "--no-scheduler"), flowrun.stage(ground, side, DIAMOND, PODS) as observer:
        return await flowrun.run(ground, side, observer, {f"f{at}": DIAMOND for at in range(FLOWS)})
