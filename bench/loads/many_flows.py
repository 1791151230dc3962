"""Many flows of five steps: (b) all at once, for throughput; (e) one after the other, for the time from a completion to
the next Job.
"""

from typing import Any, Final

from bench import flowrun
from bench.bodies import DIAMOND
from bench.cluster import BenchCluster
from bench.peer import Side

AT_ONCE: Final = 200
TRICKLE: Final = 2000
RATE: Final = 50.0  # flows a second


async def at_once(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    async with flowrun.stage(bench_cluster, side, DIAMOND) as observer:
        return await flowrun.run(bench_cluster, side, observer, {f"f{at}": DIAMOND for at in range(AT_ONCE)})


async def trickle(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    """2000 flows, times the scale, 50 a second."""
    count = max(1, round(TRICKLE * scale))
    async with flowrun.stage(bench_cluster, side, DIAMOND) as observer:
        found = await flowrun.run(bench_cluster, side, observer, {f"f{at}": DIAMOND for at in range(count)}, rate=RATE)
    return {"flows": count} | found
