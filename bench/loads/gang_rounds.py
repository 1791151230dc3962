"""(k) Scheduling cycles of gang admission: 1000 waiting groups of 10 pods on 500 nodes, once with all nodes full and once with none.

No API server is involved: the CPU time of the decisions is measured. The pods of each group have a different size, so
that no result can be reused for another group.
"""

import time
from typing import Any, Final

from bench.cluster import BenchCluster
from bench.peer import Side
from controller.gang.cache.cache import GangCache
from controller.gang.cycle.memory import CycleMemory
from controller.gang.cycle.scheduling_cycle import run_cycle
from controller.gang.settings import AdmissionSettings
from shared import names
from shared.model.types import Body

NODES: Final = 500
GROUPS: Final = 1000
SIZE: Final = 10
QUEUES: Final = 10
NOW: Final = 1_767_322_800.0


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    return {name: seconds(filled_cache(full)) for name, full in (("full_cpu_s", True), ("empty_cpu_s", False))}


def seconds(cache: GangCache) -> float:
    """CPU time of the first cycle, when no group has been tried yet."""
    settings = AdmissionSettings(reclaim=True)
    started = time.process_time()
    run_cycle(cache.snapshot(with_evictable=True), CycleMemory(), settings, NOW)
    return time.process_time() - started


def filled_cache(full: bool, nodes: int = NODES, groups: int = GROUPS) -> GangCache:
    """`full`: a running pod occupies every node completely."""
    made = GangCache()
    for number in range(nodes):
        name = f"n{number:03}"
        made.update_node(None, {"metadata": {"name": name}, "status": {"allocatable": {"cpu": "32", "pods": "110"}}})
        if full:
            made.update_pod(None, _pod(f"busy-{number}", "30", {"nodeName": name}, "Running"))
    for number in range(QUEUES):
        made.update_queue(None, {"metadata": {"name": f"q{number}"}, "spec": {}})
    for number in range(groups):
        spec = {"minMember": SIZE, "queue": f"q{number % QUEUES}"}
        made.update_group(None, {"metadata": {"name": f"g{number}", "namespace": "work"}, "spec": spec})
        for index in range(SIZE):
            gate = {"schedulingGates": [{"name": names.GANG_GATE}]}
            made.update_pod(None, _pod(f"g{number}-{index}", f"{4001 + number}m", gate, "Pending", f"g{number}"))
    return made


def _pod(name: str, cpu: str, spec: Body, phase: str, group: str = "") -> Body:
    annotations = {names.GROUP_NAME: group} if group else {}
    container = {"name": "main", "image": "busybox", "resources": {"requests": {"cpu": cpu}}}
    metadata = {"name": name, "namespace": "work", "uid": name, "annotations": annotations}
    return {"metadata": metadata, "spec": {"containers": [container], **spec}, "status": {"phase": phase}}
