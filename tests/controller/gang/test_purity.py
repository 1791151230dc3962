"""A scheduling cycle is a function of its snapshot: equal arguments give equal results, and nothing is changed."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.gang.cache.pending_group import PendingGroup
from controller.gang.cache.snapshot import Snapshot
from controller.gang.cycle.memory import CycleMemory
from controller.gang.cycle.scheduling_cycle import place_new_pods, run_cycle
from controller.gang.settings import AdmissionSettings
from tests.controller.gang.make import World, template
from tests.controller.gang.test_properties import GANG, world


def contents(snapshot: Snapshot, memory: CycleMemory) -> object:
    """Everything that the two hold, as values that can be compared. The memo of eligible nodes is no content."""
    capacity, assumed = vars(snapshot.capacity), vars(snapshot.assumed)
    return copy.deepcopy(
        (
            snapshot.pending,
            snapshot.ungating,
            {name: value for name, value in capacity.items() if name != "_eligible"},
            assumed,
            vars(snapshot.tree),
            snapshot.used,
            snapshot.evictable,
            (snapshot.unassigned, snapshot.version),
            memory,
        )
    )


def filled(sizes: list[int], gangs: list[Any], seed: int) -> World:
    made = world(sizes, seed)
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
def test_a_cycle_called_twice_on_an_equal_snapshot_decides_the_same_and_changes_nothing(
    sizes: list[int], gangs: list[Any], reclaim: bool, seed: int
) -> None:
    made = filled(sizes, gangs, seed)
    rules, memory = AdmissionSettings(reclaim=reclaim), made.gang.memory
    snapshot = made.cache.snapshot(with_evictable=reclaim)
    before = contents(snapshot, memory)
    results = [run_cycle(snapshot, memory, rules, made.now) for _ in range(2)]
    assert results[0] == results[1]
    newcomer = PendingGroup(key=next(iter(made.cache.groups)), queue="default", created=made.now)
    assert place_new_pods(snapshot, memory, newcomer) == place_new_pods(snapshot, memory, newcomer)
    assert contents(snapshot, memory) == before
