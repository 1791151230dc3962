"""The tree of queues over any stored parents, cycles included."""

from hypothesis import given
from hypothesis import strategies as st

from controller.gang.cache.queue_tree import QueueInfo, QueueTree
from controller.gang.cache.queue_usage import QueueUsage
from tests.controller.gang.make import template, with_nodes

NAMES = ("default", *"abcdef")
PARENTS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("root", "missing", *NAMES)))
AMOUNTS = st.dictionaries(st.sampled_from(("cpu", "memory")), st.integers(0, 8000))


@given(PARENTS, st.dictionaries(st.sampled_from(NAMES), AMOUNTS), st.dictionaries(st.sampled_from(NAMES), AMOUNTS))
def test_all_functions_of_the_queue_tree_terminate_for_any_parents(
    parents: dict[str, str], used: dict[str, dict[str, int]], guarantees: dict[str, dict[str, int]]
) -> None:
    tree = QueueTree(QueueInfo(name, parent, guarantee=guarantees.get(name, {})) for name, parent in parents.items())
    shares = QueueUsage(tree, used, {"cpu": 16_000, "memory": 1 << 34})
    for name, queue in tree.queues.items():
        path = [each.name for each in tree.path(name)]
        assert len(set(path)) == len(path)
        assert set(shares.deserved(queue)) == {"cpu", "memory"}
        assert len(shares.order(name)) == 2 * len(path)
        assert all(amount >= 0 for amount in shares.guaranteed_to_others(name).values())
        assert shares.of(name).get("cpu", 0) >= used.get(name, {}).get("cpu", 0)


def test_a_cycle_of_queues_stops_only_the_gangs_in_it_and_below_it() -> None:
    made = with_nodes("4")
    for name, parent in (("a", "b"), ("b", "a"), ("below", "a")):
        made.queue(name, parent=parent)
    for name in ("a", "below", "default"):
        made.submit(f"of-{name}", (template(), 1), queue=name)
    made.round()
    assert [made.gated(f"of-{name}") for name in ("a", "below", "default")] == [1, 1, 0]
    assert "b -> a -> b" in made.why("of-below")
    made.queue("b", parent="root")
    made.round()
    assert [made.gated(f"of-{name}") for name in ("a", "below")] == [0, 0]


def test_thousands_of_queues_below_each_other_are_walked_to_the_end() -> None:
    queues = [
        QueueInfo("q0", guarantee={"cpu": 2000}),
        *(QueueInfo(f"q{number}", f"q{number - 1}") for number in range(1, 3000)),
    ]
    shares = QueueUsage(QueueTree(queues), {"q2999": {"cpu": 1000}}, {"cpu": 4000})
    assert shares.guaranteed_to_others("default") == {"cpu": 1000}
    assert shares.deserved(queues[-1]) == {"cpu": 2000}
