"""Walks over stored parents: any map of parents, cycles included."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from shared.graphs.ancestry import ancestors, cycle, descendants

NAMES = tuple("abcdefgh")
PARENTS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES))


def children_of(parents: dict[str, str], name: str) -> list[str]:
    return [child for child, parent in parents.items() if parent == name]


def test_the_ancestors_of_a_name_in_a_tree_end_at_the_root() -> None:
    parents = {"c": "b", "b": "a"}
    assert list(ancestors("c", parents.get)) == ["b", "a"]
    assert cycle("c", parents.get) == ()


def test_a_name_that_is_its_own_parent_has_no_ancestors_and_is_a_cycle() -> None:
    assert list(ancestors("a", {"a": "a"}.get)) == []
    assert cycle("a", {"a": "a"}.get) == ("a", "a")


def test_only_the_members_of_a_cycle_belong_to_it() -> None:
    parents = {"a": "b", "b": "c", "c": "a", "below": "a"}
    assert cycle("a", parents.get) == ("a", "b", "c", "a")
    assert cycle("below", parents.get) == ()
    assert list(ancestors("below", parents.get)) == ["a", "b", "c"]


def test_a_chain_of_thousands_is_walked_to_its_end() -> None:
    parents = {str(number): str(number + 1) for number in range(5000)}
    assert sum(1 for _ in ancestors("0", parents.get)) == 5000


@given(PARENTS, st.sampled_from(NAMES))
def test_walks_over_any_parents_visit_each_name_once_and_agree(parents: dict[str, str], name: str) -> None:
    above = list(ancestors(name, parents.get))
    below = list(descendants(name, lambda each: children_of(parents, each)))
    assert len(above) == len(set(above))
    assert name not in above
    assert len(below) == len(set(below))
    assert name not in below
    for other in NAMES:
        assert (other in below) == (other != name and name in list(ancestors(other, parents.get)))
    members = cycle(name, parents.get)
    assert bool(members) == (name in [parents.get(each) for each in (name, *above)])
    for child, parent in itertools.pairwise(members):
        assert parents[child] == parent
