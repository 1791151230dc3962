"""Random nodes, queues and gangs that come and go: no gang is ever bound in part, and every gang starts in the end."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.gang.settings import AdmissionSettings
from local.nodes.scheduler.resources import requests
from tests.controller.gang.make import GangCluster, template

CPUS = st.sampled_from(["500m", "1", "2", "3", "5"])
GANG = st.tuples(
    st.lists(st.tuples(CPUS, st.integers(1, 5)), min_size=1, max_size=3),
    st.sampled_from(["default", "small", "child"]),
    st.sampled_from(["", "high"]),
    st.sampled_from([None, 1, 2]),
)
CAPS = {"small": 6000, "parent": 8000}
ABOVE = {"default": (), "small": ("small",), "child": ("parent",)}


def gang_cluster(sizes: list[int], seed: int) -> GangCluster:
    made = GangCluster(AdmissionSettings(reserve_after=60.0), seed)
    for number, size in enumerate(sizes):
        made.node(f"n{number}", str(size))
    made.queue("small", capability={"cpu": "6"})
    made.queue("parent", capability={"cpu": "8"}, weight=2)
    made.queue("child", parent="parent", priority=1)
    made.priority_class("high", 1000)
    return made


def check(made: GangCluster, minimums: dict[str, int], queues: dict[str, str]) -> None:
    """After the scheduler has bound what it can."""
    for name in made.groups:
        bound = made.bound(name)
        assert bound == 0 or bound >= minimums[name], f"{name}: {bound} of {minimums[name]} bound"
    used: Counter[str] = Counter()
    for pod in made.pods.values():
        if pod["spec"].get("nodeName"):
            group = pod["metadata"]["annotations"]["scheduling.k8s.io/group-name"]
            for limited in ABOVE[queues[group]]:
                used[limited] += int(requests(pod)["cpu"] * 1000)
    assert all(used[name] <= CAPS[name] for name in used), used


@settings(max_examples=150, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    gangs=st.lists(GANG, min_size=1, max_size=14),
    ends=st.lists(st.booleans(), min_size=14, max_size=14),
    seed=st.integers(0, 2**16),
)
def test_gangs_start_as_a_whole_within_limits_and_all_of_them_start(
    sizes: list[int], gangs: list[Any], ends: list[bool], seed: int
) -> None:
    made = gang_cluster(sizes, seed)
    minimums: dict[str, int] = {}
    queues: dict[str, str] = {}
    for number, (shapes, queue, priority, least) in enumerate(gangs):
        name = f"g{number}"
        made.now += 7
        tasks = [(template(cpu), replicas) for cpu, replicas in shapes]
        total = sum(replicas for _, replicas in shapes)
        minimums[name] = min(total, least or total)
        queues[name] = queue
        made.submit(name, *tasks, minimum=minimums[name], queue=queue, priorityClassName=priority)
        made.round()
        made.bind()
        check(made, minimums, queues)
        if ends[number]:
            running = sorted(each for each in made.groups if made.bound(each))
            if running:
                made.end(made.random.choice(running))
                made.round()
                made.bind()
                check(made, minimums, queues)
    drain(made, minimums, queues)
    for name in made.groups:  # what is left can never start, and its condition says so
        assert made.why(name).startswith("never fits"), made.why(name)
    assert made.cache.used() == {}
    assert made.cache.assumed.totals.pods.total() == 0
    assert made.cache.capacity.free == made.cache.capacity.unbound == made.cache.capacity.without_groups()


def drain(made: GangCluster, minimums: dict[str, int], queues: dict[str, str]) -> None:
    """Let time pass and groups end, one after the other, until nothing moves."""
    quiet = 0
    while quiet < 3:
        made.now += 61
        made.round()
        made.bind()
        check(made, minimums, queues)
        running = sorted(name for name in made.groups if made.bound(name))
        quiet = 0 if running else quiet + 1
        if running:
            made.end(running[0])


@settings(max_examples=60, deadline=None)
@given(
    cpu=st.sampled_from(["1", "2"]),
    size=st.integers(1, 4),
    marks=st.lists(st.booleans(), min_size=2, max_size=10),
    seed=st.integers(0, 2**16),
)
def test_equal_groups_start_by_priority_and_then_by_age(cpu: str, size: int, marks: list[bool], seed: int) -> None:
    made = gang_cluster([8], seed)
    made.submit("first", (template("8"), 1))
    made.bind()
    for number, high in enumerate(marks):
        made.now += 1
        made.submit(f"g{number}", (template(cpu), size), priorityClassName="high" if high else "")
    made.round()
    wanted = [f"g{number}" for number, _ in sorted(enumerate(marks), key=lambda each: (not each[1], each[0]))]
    drain(made, dict.fromkeys(("first", *wanted), 1), dict.fromkeys(("first", *wanted), "default"))
    assert made.admitted == ["first", *wanted]
