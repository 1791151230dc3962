from typing import Any

import pytest

from shared.key import Key
from shared.kube.cache.packed import Hot, Packer
from shared.kube.cache.store import Store


def obj(name: str, color: str = "", namespace: str = "ns") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "uid": name}, "color": color}


def by_color(body: dict[str, Any]) -> list[str]:
    return [body["color"]] if body["color"] else []


def names(bodies: Any) -> list[str]:
    return [body["metadata"]["name"] for body in bodies]


def test_indexes_follow_every_change() -> None:
    store = Store({"color": by_color})
    store.put(obj("a", "red"))
    store.put(obj("b", "red"))
    assert names(store.by_index("color", "red")) == ["a", "b"]
    store.put(obj("a", "blue"))
    assert names(store.by_index("color", "red")) == ["b"]
    assert store.index_keys("color", "blue") == [Key("ns", "a")]
    store.remove(Key("ns", "a"))
    store.put(obj("b"))
    assert store.index_values("color") == []


def test_an_indexer_added_later_indexes_what_is_stored() -> None:
    store = Store()
    store.put(obj("a", "red"))
    store.add_indexer("color", by_color)
    store.add_indexer("color", by_color)
    assert names(store.by_index("color", "red")) == ["a"]
    with pytest.raises(ValueError, match="another function"):
        store.add_indexer("color", lambda body: [])


def test_a_namespace_lists_only_its_objects() -> None:
    store = Store()
    store.put(obj("a"))
    store.put(obj("b", namespace="other"))
    assert names(store.bodies("other")) == ["b"]
    assert names(store.bodies("none")) == []
    assert len(store) == 2


def test_packing_does_not_change_bodies() -> None:
    store = Store({"color": by_color}, Hot(3))
    bodies = [obj(f"name-{index}", f"c{index % 2}") for index in range(50)]
    for body in bodies:
        store.put(body)
    assert list(store.bodies()) == bodies
    assert store.get(Key("ns", "name-0")) == bodies[0]
    assert len(store.by_index("color", "c0")) == 25
    assert store.put(obj("name-7", "c9")) == bodies[7]
    assert store.remove(Key("ns", "name-8")) == bodies[8]
    assert store.get(Key("ns", "gone")) is None


def test_bodies_that_are_read_stay_unpacked_and_the_others_are_packed_soon() -> None:
    store = Store(hot=Hot(limit=4, new=2))
    read = [obj("read-0"), obj("read-1")]
    for body in read:
        store.put(body)
        store.get(Key("ns", body["metadata"]["name"]))
    changed = obj("read-1", "changed")
    store.put(changed)
    unread = [obj(f"unread-{index}") for index in range(50)]
    for body in unread:
        store.put(body)
    kept = [body for body in store.bodies() if any(body is one for one in (*read, changed, *unread))]
    assert kept == [read[0], changed, unread[-2], unread[-1]]
    assert [body["metadata"]["name"] for body in store.bodies()][-50:] == [f"unread-{index}" for index in range(50)]


def test_packing_bodies_of_one_kind_saves_most_of_their_size() -> None:
    packer = Packer()
    body = {"spec": {"text": "the pod template that all of them share " * 20}}
    packer.pack({**body, "name": "first"})
    packed = packer.pack({**body, "name": "second"})
    assert len(packed) < 60
    assert packer.unpack(packed) == {**body, "name": "second"}


def test_a_key_prints_as_namespace_and_name() -> None:
    assert str(Key("ns", "a")) == "ns/a"
    assert str(Key("", "node")) == "node"
