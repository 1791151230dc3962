"""Network topology has one limit; NUMA policies need whole CPUs (docs/design/volcano-behaviour.md, section 2.3)."""

from collections.abc import Iterator
from typing import Any, Final

from shared import quantity
from shared.model.job import NetworkTopology, NumaPolicy, TopologyMode
from shared.violation import Reason, Violation
from webhook.subject.subjects import JobSubject, body_or_empty

_VOLCANO: Final = "only Volcano's scheduler looks at it; with the gang backends gate and native, the pods run"


def topology_has_one_tier(job: JobSubject) -> Iterator[Violation]:
    for path, topology in _topologies(job):
        yield from _one_tier(path, topology)


def topology_that_needs_volcano(job: JobSubject) -> Iterator[str]:
    """Warn about requirements that only Volcano's scheduler meets."""
    for path, topology in _topologies(job):
        if topology is not None and topology.mode in (None, TopologyMode.HARD):
            yield f"{path}: {_VOLCANO} anywhere"
    for index, task in enumerate(job.tasks):
        if task.topology_policy not in (None, NumaPolicy.NONE):
            yield f"spec.tasks[{index}].topologyPolicy: {_VOLCANO} on any CPUs"


def numa_policies_get_whole_cpus(job: JobSubject) -> Iterator[Violation]:
    for index, task in enumerate(job.tasks):
        if task.topology_policy in (None, NumaPolicy.NONE):
            continue
        spec = body_or_empty(task.template.get("spec"))
        for field in ("containers", "initContainers"):
            containers = spec.get(field)
            for position, container in enumerate(containers if isinstance(containers, list) else ()):
                path = f"spec.tasks[{index}].template.spec.{field}[{position}].resources.requests.cpu"
                yield from _whole_cpus(path, body_or_empty(body_or_empty(container).get("resources")))


def _topologies(job: JobSubject) -> Iterator[tuple[str, NetworkTopology | None]]:
    yield "spec.networkTopology", job.spec.network_topology
    for index, task in enumerate(job.tasks):
        if task.partition_policy is not None:
            yield f"spec.tasks[{index}].partitionPolicy.networkTopology", task.partition_policy.network_topology


def _one_tier(path: str, topology: NetworkTopology | None) -> Iterator[Violation]:
    if topology and topology.highest_tier_allowed is not None and topology.highest_tier_name:
        message = "must not specify highestTierAllowed and highestTierName in networkTopology simultaneously"
        yield Violation(f"{path}.highestTierName", message, topology.highest_tier_name)


def _whole_cpus(path: str, resources: dict[str, Any]) -> Iterator[Violation]:
    """Limits are used only if there are no requests at all, as in Volcano."""
    cpu = body_or_empty(resources.get("requests") or resources.get("limits")).get("cpu")
    if cpu is None:
        message = "the cpu request isn't set, and topologyPolicy needs whole CPUs"
        yield Violation(path, message, reason=Reason.REQUIRED)
    elif quantity.fault(cpu) is None and (not quantity.quantity(cpu).is_integer or quantity.quantity(cpu).nanos <= 0):
        yield Violation(path, "the cpu request isn't an integer, and topologyPolicy needs whole CPUs", cpu)
