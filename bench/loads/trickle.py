"""(e) 2000 flows (times the scale) of five steps, 50 a second: the time from a completion to the next Job."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import DIAMOND
from bench.cluster import BenchCluster
from bench.peer import Side

FLOWS: Final = 2000
RATE: Final = 50.0


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    count = max(1, round(FLOWS * scale))
    async with flowrun.stage(bench_cluster, side, DIAMOND) as observer:
        found = await flowrun.run(bench_cluster, side, observer, {f"f{at}": DIAMOND for at in range(count)}, rate=RATE)
    return {"flows": count} | found
