"""A scheduling cycle is pure: equal snapshots give equal results, and the snapshot is not changed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.gang.cache.pending_group import PendingGroup
from controller.gang.cycle.scheduling_cycle import place_new_pods, run_cycle
from controller.gang.settings import AdmissionSettings
from tests.controller.gang.make import GangCluster, template
from tests.controller.gang.test_properties import GANG, gang_cluster
from tests.purity import pure


def filled(sizes: list[int], gangs: list[Any], seed: int) -> GangCluster:
    made = gang_cluster(sizes, seed)
    for number, (shapes, queue, priority, least) in enumerate(gangs):
        made.now += 40
        tasks = [(template(cpu), replicas) for cpu, replicas in shapes]
        made.submit(f"g{number}", *tasks, minimum=least, queue=queue, priorityClassName=priority)
        if number % 3 == 0:
            made.bind()
    return made


@settings(max_examples=80, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=0, max_size=4),
    gangs=st.lists(GANG, min_size=1, max_size=8),
    reclaim=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_scheduling_cycle_is_pure(sizes: list[int], gangs: list[Any], reclaim: bool, seed: int) -> None:
    made = filled(sizes, gangs, seed)
    rules, memory = AdmissionSettings(reclaim=reclaim), made.gang.memory
    snapshot = made.cache.snapshot(with_evictable=reclaim)
    pure(run_cycle)(snapshot, memory, rules, made.now)
    newcomer = PendingGroup(key=next(iter(made.cache.groups)), queue="default", created=made.now)
    pure(place_new_pods)(snapshot, memory, newcomer)
