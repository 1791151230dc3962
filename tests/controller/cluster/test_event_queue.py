from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.cluster.event_queue import COMBINED, EventQueue, PendingEvent
from controller.decision import Note
from shared.kinds import JOBFLOW

MOST = 6
ROUTINE, WAITS, WARNING = Note("Started", "a"), Note("Held", "a", waits=True), Note("Failed", "a", "Warning")


def pending(number: int, note: Note, uid: str = "u") -> PendingEvent:
    at = 1_767_323_045.0 + number
    return PendingEvent(JOBFLOW, {"name": "f", "uid": uid}, note, at, at, number)


def note(reason: str, message: str) -> Note:
    return Note(reason, message, "Warning" if reason == "Failed" else "Normal", waits=reason == "Held")


def full_of(reason: str) -> EventQueue:
    queue = EventQueue(MOST)
    for number in range(MOST):
        assert queue.add(pending(number, note(reason, "x"), f"u{number}")) is None
    return queue


def taken(queue: EventQueue, *, routine: bool = True) -> list[int]:
    numbers = []
    while (event := queue.take(routine=routine)) is not None:
        numbers.append(event.number)
        queue.done(event)
    return numbers


def test_important_events_come_first() -> None:
    queue = EventQueue(MOST)
    for number, (reason, uid) in enumerate(
        [("Started", "a"), ("Started", "b"), ("Failed", "b"), ("Started", "c"), ("Held", "d")]
    ):
        queue.add(pending(number, note(reason, "x"), uid))
    assert taken(queue, routine=False) == [2, 4]
    assert taken(queue) == [0, 3, 1]


def test_a_repetition_is_counted_on_the_event_that_waits() -> None:
    queue = EventQueue(MOST)
    for number, message in enumerate("xyx"):
        queue.add(pending(number, Note("Busy", message)))
    first = queue.take(routine=True)
    assert first is not None
    assert (first.note.message, first.count, first.last - first.at) == ("x", 2, 2.0)
    assert len(queue) == 1


def test_an_event_that_was_taken_counts_no_more_repetitions() -> None:
    queue = EventQueue(MOST)
    queue.add(pending(1, ROUTINE))
    first = queue.take(routine=True)
    assert first is not None
    queue.add(pending(2, ROUTINE))
    queue.done(first)
    assert taken(queue) == [2]


def test_a_full_queue_combines_similar_events_of_an_object() -> None:
    queue = full_of("Started")
    assert queue.add(pending(9, note("Started", "newest"), "u3")) is None
    found = {}
    while (event := queue.take(routine=True)) is not None:
        found[event.uid] = event
    assert found["u3"].note.message == f"{COMBINED}newest"
    assert (found["u3"].count, len(found)) == (2, MOST)


@pytest.mark.parametrize(
    ("waiting", "reason", "dropped"),
    [("Started", "Other", 0), ("Started", "Failed", 0), ("Failed", "Other", 9), ("Failed", "Held", 0)],
)
def test_a_full_queue_drops_the_oldest_routine_event_and_an_important_one_only_for_another(
    waiting: str, reason: str, dropped: int
) -> None:
    event = full_of(waiting).add(pending(9, note(reason, "new"), "other"))
    assert event is not None
    assert event.number == dropped


def test_an_event_that_could_not_be_sent_comes_before_the_others_of_its_object_and_after_other_objects() -> None:
    queue = EventQueue(MOST)
    for number, (message, uid) in enumerate([("x", "a"), ("y", "a"), ("x", "b")]):
        queue.add(pending(number, Note("Busy", message), uid))
    first = queue.take(routine=True)
    assert first is not None
    queue.put_back(first)
    assert taken(queue) == [2, 0, 1]


class Histories(RuleBasedStateMachine):
    """Events that come, are taken by several senders, are sent, or have to be sent again."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = EventQueue(MOST)
        self.number = 0
        self.under_way: dict[str, PendingEvent] = {}
        self.added: Counter[bool] = Counter()
        self.gone: Counter[bool] = Counter()
        self.last: dict[tuple[str, bool], int] = {}

    def waiting(self, *, important: bool) -> list[PendingEvent]:
        lane = self.queue._important if important else self.queue._routine
        return list(lane.events.values())

    @rule(
        reason=st.sampled_from(["Started", "Done", "Held", "Failed"]),
        message=st.sampled_from("xy"),
        of=st.sampled_from("abcd"),
    )
    def add(self, reason: str, message: str, of: str) -> None:
        routine, important = self.waiting(important=False), self.waiting(important=True)
        event = pending(self.number, note(reason, message), of)
        self.number += 1
        dropped = self.queue.add(event)
        self.added[event.note.important] += 1
        if dropped is None:
            return
        self.gone[dropped.note.important] += dropped.count
        assert len(routine) + len(important) + len(self.under_way) >= MOST
        if dropped.note.important:
            assert not routine
            assert event.note.important
            assert dropped is min(important, key=lambda each: each.number)
        elif routine:
            assert dropped is min(routine, key=lambda each: each.number)
        else:
            assert dropped is event

    @precondition(lambda self: len(self.under_way) < 2)
    @rule(routine=st.booleans())
    def take(self, routine: bool) -> None:
        free = [each for each in self.waiting(important=True) if each.uid not in self.under_way]
        others = [each for each in self.waiting(important=False) if each.uid not in self.under_way]
        event = self.queue.take(routine=routine)
        assert (event is not None) == bool(free or (routine and others))
        if event is None:
            return
        assert event.note.important or not free
        assert event.uid not in self.under_way
        assert event.number >= self.last.get((event.uid, event.note.important), 0)
        self.last[event.uid, event.note.important] = event.number
        self.under_way[event.uid] = event

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), sent=st.booleans())
    def end(self, data: st.DataObject, sent: bool) -> None:
        event = self.under_way.pop(data.draw(st.sampled_from(sorted(self.under_way))))
        if sent:
            self.gone[event.note.important] += event.count
            self.queue.done(event)
        else:
            self.queue.put_back(event)

    @invariant()
    def limits_hold_and_nothing_is_lost(self) -> None:
        assert self.queue.unfinished <= MOST
        for important in (True, False):
            held = [*self.waiting(important=important), *self.under_way.values()]
            counted = sum(each.count for each in held if each.note.important is important)
            assert self.added[important] == self.gone[important] + counted


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
