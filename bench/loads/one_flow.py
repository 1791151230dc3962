"""(a) One flow of five steps, ten times in sequence: the latency for a single user."""

from typing import Any, Final

from bench import flowrun
from bench.bodies import DIAMOND
from bench.cluster import BenchCluster
from bench.peer import Side
from bench.stats import percentile

FLOWS: Final = 10
SETTLE_SECONDS: Final = 0.5
CPU: Final = ("controller_cpu_s", "api_server_cpu_s", "controller_and_api_server_cpu_s")


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    async with flowrun.stage(bench_cluster, side, DIAMOND) as observer:
        flows = [{f"f{at}": DIAMOND} for at in range(FLOWS)]
        found = [await flowrun.run(bench_cluster, side, observer, flow, settle=SETTLE_SECONDS) for flow in flows]
    return {
        "flow_ms": percentile([each["seconds"] * 1000 for each in found], 50),
        "next_step_ms_p50": percentile([each["next_step_ms_p50"] for each in found], 50),
        "writes_per_step": sum(each["writes_per_step"] for each in found) / FLOWS,
        **{name: sum(each[name] for each in found) for name in CPU},
        "controller_peak_mib": max(each["controller_peak_mib"] for each in found),
        "by_verb": found[-1]["by_verb"],
    }
