"""The state of the overlay when own writes and watch events race."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.key import Key
from shared.kube.cache.overlay import Change, Overlay
from shared.kube.cache.packed import Hot
from shared.kube.cache.store import Store
from shared.model.types import Body

KEY = Key("ns", "x")


def obj(version: int | str, uid: str = "u1", name: str = "x", namespace: str = "ns") -> Body:
    return {"metadata": {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(version)}}


def overlay() -> tuple[Store, Overlay]:
    store = Store()
    return store, Overlay(store, clock=lambda: 0.0)


def reported(changes: list[Change]) -> list[tuple[str, str]]:
    def name(body: Body | None) -> str:
        return f"{body['metadata']['uid']}@{body['metadata']['resourceVersion']}" if body else ""

    return [(name(old), name(new)) for old, new in changes]


ASSUME, ADDED, MODIFIED, DELETED, LISTED = "assume", "ADDED", "MODIFIED", "DELETED", "listed"
STORIES = {
    "an own write is seen at once and reported once": (
        [(ASSUME, obj(5)), (ADDED, obj(5))],
        [("", "u1@5")],
        "5",
    ),
    "older news does not hide an own write": (
        [(ADDED, obj(3)), (ASSUME, obj(5)), (MODIFIED, obj(4)), (MODIFIED, obj(5))],
        [("", "u1@3"), ("u1@3", "u1@5")],
        "5",
    ),
    "newer news replaces an own write": (
        [(ASSUME, obj(5)), (MODIFIED, obj(6))],
        [("", "u1@5"), ("u1@5", "u1@6")],
        "6",
    ),
    "an answer slower than the watch changes nothing": (
        [(ADDED, obj(5)), (MODIFIED, obj(6)), (ASSUME, obj(5))],
        [("", "u1@5"), ("u1@5", "u1@6")],
        "6",
    ),
    "an answer that comes after the deletion does not raise the dead": (
        [(ADDED, obj(5)), (DELETED, obj(7)), (ASSUME, obj(5))],
        [("", "u1@5"), ("u1@5", "")],
        None,
    ),
    "a duplicated event is reported once": (
        [(ADDED, obj(5)), (ADDED, obj(5)), (DELETED, obj(6)), (DELETED, obj(6)), (ADDED, obj(5))],
        [("", "u1@5"), ("u1@5", "")],
        None,
    ),
    "a new uid under the name is a deletion and an addition": (
        [(ADDED, obj(5)), (ADDED, obj(9, "u2"))],
        [("", "u1@5"), ("u1@5", ""), ("", "u2@9")],
        "9",
    ),
    "the late deletion of the predecessor does not hit the successor": (
        [(ADDED, obj(5)), (ASSUME, obj(9, "u2")), (MODIFIED, obj(6)), (DELETED, obj(8)), (ADDED, obj(9, "u2"))],
        [("", "u1@5"), ("u1@5", ""), ("", "u2@9")],
        "9",
    ),
    "an object that left a selector may come back": (
        [(ADDED, obj(5)), (DELETED, obj(6)), (ADDED, obj(7))],
        [("", "u1@5"), ("u1@5", ""), ("", "u1@7")],
        "7",
    ),
    "versions that are no numbers are taken as they come": (
        [(ADDED, obj("a")), (ASSUME, obj("b")), (MODIFIED, obj("b")), (MODIFIED, obj("c"))],
        [("", "u1@a"), ("u1@a", "u1@b"), ("u1@b", "u1@c")],
        "c",
    ),
}


@pytest.mark.parametrize(("steps", "want", "version"), STORIES.values(), ids=STORIES.keys())
def test_own_writes_and_watch_events_in_any_order(
    steps: list[tuple[str, Body]], want: list[tuple[str, str]], version: str | None
) -> None:
    store, view = overlay()
    changes: list[Change] = []
    for action, body in steps:
        changes += view.assume(body) if action == ASSUME else view.event(action, body)
    assert reported(changes) == want
    seen = store.get(KEY)
    assert (seen["metadata"]["resourceVersion"] if seen else None) == version


def test_an_own_deletion_is_visible_at_once_and_stays_visible() -> None:
    store, view = overlay()
    view.event(ADDED, obj(5))
    assert reported(view.assume_deleted(KEY, "u1")) == [("u1@5", "")]
    assert view.event(MODIFIED, obj(6)) == []
    assert view.listed(obj(6)) == []
    assert view.event(DELETED, obj(7)) == []
    assert KEY not in store
    assert reported(view.event(ADDED, obj(8, "u2"))) == [("", "u2@8")]


def test_an_own_deletion_keeps_a_later_object_of_the_same_name() -> None:
    store, view = overlay()
    view.event(ADDED, obj(5, "u2"))
    assert view.assume_deleted(KEY, "u1") == []
    assert KEY in store


RELISTS = {
    "what the list lacks is deleted": ([], "10", [("u1@5", "")]),
    "what the list has newer is a change": ([obj(8)], "10", [("u1@5", "u1@8")]),
    "what the list has unchanged is no change": ([obj(5)], "10", []),
    "what the list has under a new uid is replaced": ([obj(8, "u2")], "10", [("u1@5", ""), ("", "u2@8")]),
    "an older state wins when we did not write the newer (etcd was restored)": ([obj(2)], "3", [("u1@5", "u1@2")]),
}


@pytest.mark.parametrize(("items", "version", "want"), RELISTS.values(), ids=RELISTS.keys())
def test_relist(items: list[Body], version: str, want: list[tuple[str, str]]) -> None:
    _, view = overlay()
    view.event(ADDED, obj(5))
    assert reported(relist(view, items, version)) == want


def relist(view: Overlay, items: list[Body], version: str, namespace: str = "") -> list[Change]:
    changes = [change for item in items for change in view.listed(item)]
    return changes + view.list_ended({item["metadata"]["uid"] for item in items}, namespace, version)


def test_a_list_older_than_an_own_creation_does_not_delete_it() -> None:
    store, view = overlay()
    view.assume(obj(15))
    assert relist(view, [], "12") == []
    assert KEY in store
    assert reported(relist(view, [], "16")) == [("u1@15", "")]


def test_a_list_older_than_an_own_write_does_not_undo_it() -> None:
    _, view = overlay()
    view.event(ADDED, obj(5))
    view.assume(obj(15))
    assert relist(view, [obj(5)], "12") == []
    assert relist(view, [obj(15)], "20") == []


def test_a_list_without_an_own_write_wins_after_a_timeout() -> None:
    now = 0.0
    store = Store()
    view = Overlay(store, clock=lambda: now)
    view.assume(obj(1000))
    assert relist(view, [], "500") == []
    now = 301.0
    assert reported(relist(view, [], "500")) == [("u1@1000", "")]


def test_a_list_of_one_namespace_does_not_change_others() -> None:
    store, view = overlay()
    view.event(ADDED, obj(5))
    view.event(ADDED, obj(6, "u2", namespace="other"))
    view.assume_deleted(Key("other", "x"), "u2")
    relist(view, [], "10", namespace="ns")
    assert store.keys() == []
    assert view.listed(obj(6, "u2", namespace="other")) == []


class Race(RuleBasedStateMachine):
    """A server whose events arrive late, in order, and sometimes twice; lists may arrive at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 10
        self.uids = 0
        self.server: dict[str, Body] = {}
        self.log: list[tuple[str, Body]] = []
        self.delivered = 0
        self.store = Store(hot=Hot(2))
        self.view = Overlay(self.store, clock=lambda: 0.0)
        self.own: dict[str, Body | None] = {}  # the newest state from own writes
        self.reported: dict[str, Body] = {}  # the state of a handler that applies all changes

    def take(self, changes: list[Change]) -> None:
        for old, new in changes:
            name = (old or new or {})["metadata"]["name"]
            assert self.reported.get(name) == old
            if new is None:
                del self.reported[name]
            else:
                self.reported[name] = new

    def write(self, name: str) -> Body:
        self.version += 1
        known = self.server.get(name)
        if known is None:
            self.uids += 1
        uid = known["metadata"]["uid"] if known else f"u{self.uids}"
        self.server[name] = obj(self.version, uid, name)
        self.log.append(("MODIFIED" if known else "ADDED", self.server[name]))
        return self.server[name]

    def erase(self, name: str) -> str:
        self.version += 1
        uid: str = self.server.pop(name)["metadata"]["uid"]
        self.log.append(("DELETED", obj(self.version, uid, name)))
        return uid

    names = st.sampled_from(["a", "b"])

    @rule(name=names)
    def others_write(self, name: str) -> None:
        self.write(name)

    @rule(name=names)
    def we_write(self, name: str) -> None:
        body = self.write(name)
        self.take(self.view.assume(body))
        self.own[name] = body

    @precondition(lambda self: self.server)
    @rule(data=st.data())
    def others_delete(self, data: st.DataObject) -> None:
        self.erase(data.draw(st.sampled_from(sorted(self.server))))

    @precondition(lambda self: self.server)
    @rule(data=st.data())
    def we_delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.server)))
        uid = self.erase(name)
        seen = self.store.get(Key("ns", name))
        self.take(self.view.assume_deleted(Key("ns", name), uid))
        if seen is not None and seen["metadata"]["uid"] == uid:
            self.own[name] = None

    @precondition(lambda self: self.delivered < len(self.log))
    @rule(twice=st.booleans())
    def deliver(self, twice: bool) -> None:
        kind, body = self.log[self.delivered]
        for _ in range(1 + twice):
            self.take(self.view.event(kind, body))
        self.delivered += 1

    @rule()
    def relist(self) -> None:
        for body in self.server.values():
            self.take(self.view.listed(body))
        uids = {body["metadata"]["uid"] for body in self.server.values()}
        self.take(self.view.list_ended(uids, "", str(self.version)))
        self.delivered = len(self.log)

    @invariant()
    def nothing_older_than_our_own_writes_is_seen(self) -> None:
        for name, own in self.own.items():
            seen = self.store.get(Key("ns", name))
            if own is None:
                continue
            at = int(own["metadata"]["resourceVersion"])
            if seen is None:
                assert any(
                    kind == "DELETED" and body["metadata"]["uid"] == own["metadata"]["uid"] for kind, body in self.log
                )
            else:
                assert int(seen["metadata"]["resourceVersion"]) >= at

    @invariant()
    def handlers_know_what_readers_see(self) -> None:
        assert {key.name: self.store.get(key) for key in self.store} == self.reported

    @invariant()
    def everything_is_seen_in_the_end(self) -> None:
        if self.delivered == len(self.log):
            assert self.reported == self.server


TestRace = Race.TestCase
