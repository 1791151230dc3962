"""The queue of Events that are not sent yet. It is bounded, and does no I/O.

Important Events are taken before routine ones, also before earlier ones of the same object: their times tell the order
of all. Among Events of the same importance the objects take turns, and those of one object keep the order in which they
were recorded. Of each object one Event is taken at a time. While an Event waits, its repetitions are counted on it.

When the queue is full, an Event is combined with a similar one, or else the oldest routine Event is dropped. An
important Event is dropped only for another one, and only when no routine Event waits; then the oldest one is.
"""

from typing import Final

import msgspec

from controller.decision import Note
from shared.kinds import Kind
from shared.model.types import Body

COMBINED: Final = "(combined from similar events): "  # client-go: tools/record/events_cache.go


class PendingEvent(msgspec.Struct, frozen=True):
    """A Note with its object and the times at which it was first and last recorded (epoch seconds).

    `number` is unique: it orders Events and makes names of the same time unique. `tries`: how often sending it failed.
    """

    kind: Kind
    involved: Body
    note: Note
    at: float
    last: float
    number: int = 0
    count: int = 1
    tries: int = 0

    @property
    def uid(self) -> str:
        return str(self.involved.get("uid", ""))

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return self.uid, self.note.type, self.note.reason, self.note.message


class EventLane:
    """Waiting Events of the same importance: all in the order in which they were recorded, and by object.

    `turns`: the objects that may be served, in the order of their turns.
    """

    def __init__(self) -> None:
        self.events: dict[int, PendingEvent] = {}
        self.of: dict[str, dict[int, PendingEvent]] = {}
        self.turns: dict[str, None] = {}

    def put(self, event: PendingEvent) -> None:
        """Put an Event at the end, or in the place of the one that has its number."""
        self.events[event.number] = event
        self.of.setdefault(event.uid, {})[event.number] = event

    def put_first(self, event: PendingEvent) -> None:
        """Put an Event in front of the others of its object."""
        self.events = dict(sorted([*self.events.items(), (event.number, event)]))
        self.of[event.uid] = {event.number: event, **self.of.get(event.uid, {})}

    def remove(self, event: PendingEvent) -> None:
        del self.events[event.number]
        del self.of[event.uid][event.number]
        if not self.of[event.uid]:
            del self.of[event.uid]
            self.turns.pop(event.uid, None)

    @property
    def oldest(self) -> PendingEvent | None:
        return next(iter(self.events.values()), None)


class EventQueue:
    """Holds at most `most` Events, those included that were taken and are not done. `len()`: how many wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._important, self._routine = EventLane(), EventLane()
        self._taken: set[str] = set()

    def __len__(self) -> int:
        return len(self._important.events) + len(self._routine.events)

    @property
    def unfinished(self) -> int:
        """How many wait or were taken and are not done."""
        return len(self) + len(self._taken)

    def add(self, event: PendingEvent) -> PendingEvent | None:
        """Add an Event, or count it on one that waits. Returns the Event that was dropped for it, if any."""
        lane = self._lane(event)
        waiting = lane.of.get(event.uid, {}).values()
        same = next((each for each in waiting if each.identity == event.identity), None)
        if same is not None:
            lane.put(_counted(same, event, event.note))
            return None
        if self.unfinished < self._most:
            self._append(event)
            return None
        similar = [each for each in waiting if _is_similar(each, event)]
        if similar:
            lane.put(_counted(similar[-1], event, _combined(event.note)))
            return None
        dropped = self._routine.oldest or (self._important.oldest if event.note.important else None)
        if dropped is None:
            return event
        self._lane(dropped).remove(dropped)
        self._append(event)
        return dropped

    def take(self, *, routine: bool) -> PendingEvent | None:
        """The next Event, or None. Its object's next one is handed out after `done` or `put_back`.

        `routine`: whether to serve also routine Events.
        """
        for lane in (self._important, self._routine) if routine else (self._important,):
            for uid in lane.turns:
                event = next(iter(lane.of[uid].values()))
                lane.remove(event)
                self._taken.add(uid)
                for each in (self._important, self._routine):
                    each.turns.pop(uid, None)
                return event
        return None

    def done(self, event: PendingEvent) -> None:
        """A taken Event was sent or given up."""
        self._taken.discard(event.uid)
        for lane in (self._important, self._routine):
            if event.uid in lane.of:
                lane.turns[event.uid] = None

    def put_back(self, event: PendingEvent) -> None:
        """Let a taken Event wait again, in front of the others of its object. Other objects have their turn before."""
        self._lane(event).put_first(event)
        self.done(event)

    def _append(self, event: PendingEvent) -> None:
        lane = self._lane(event)
        lane.put(event)
        if event.uid not in self._taken:
            lane.turns.setdefault(event.uid)

    def _lane(self, event: PendingEvent) -> EventLane:
        return self._important if event.note.important else self._routine


def _is_similar(event: PendingEvent, other: PendingEvent) -> bool:
    return (event.note.type, event.note.reason) == (other.note.type, other.note.reason)


def _counted(event: PendingEvent, repeated: PendingEvent, note: Note) -> PendingEvent:
    count = event.count + repeated.count
    return msgspec.structs.replace(event, note=note, count=count, last=max(event.last, repeated.last))


def _combined(note: Note) -> Note:
    return msgspec.structs.replace(note, message=COMBINED + note.message)
