"""Queues: states, orders, cascade, counters."""

from typing import Any

import msgspec
import pytest

from controller.decision import Create, Delete, Patch
from controller.queue.account import as_quantities
from controller.queue.decide import decide, missing
from controller.queue.observed import QueueObservation
from shared import names
from shared.model.command import Command
from shared.model.phases import PodGroupPhase, QueueState
from shared.model.queue import Queue
from shared.model.types import Body

NOW = 1_767_322_800.0


def seen(state: str = "Open", *orders: str, name: str = "q", mark: str = "", **more: Any) -> QueueObservation:
    """`orders`: actions of Commands, in order; `Stale` before one for another uid."""
    body: Body = {
        "metadata": {"name": name, "uid": "u", "annotations": {names.CLOSED_BY_PARENT: mark} if mark else {}},
        "spec": {"parent": "p"} if name != "root" else {},
        "status": {"state": state} if state else {},
    }
    commands = tuple(
        msgspec.convert(
            {
                "metadata": {"name": f"c{number}", "namespace": "ns", "uid": f"c{number}"},
                "action": action.removeprefix("Stale"),
                "target": {"uid": "other" if action.startswith("Stale") else "u"},
            },
            Command,
        )
        for number, action in enumerate(orders)
    )
    return QueueObservation(queue=msgspec.convert(body, Queue), body=body, now=NOW, commands=commands, **more)


BUSY = {PodGroupPhase.RUNNING: 1}
DONE = {PodGroupPhase.COMPLETED: 3}
OPEN, CLOSED, CLOSING = QueueState.OPEN, QueueState.CLOSED, QueueState.CLOSING

STATES = {
    "new": (seen(""), "Open"),
    "open": (seen("Open", groups=BUSY), "Open"),
    "unknown": (seen("Unknown"), "Unknown"),
    "closed with nothing in it": (seen("Open", "CloseQueue"), "Closed"),
    "closed with a group in it": (seen("Open", "CloseQueue", groups=BUSY), "Closing"),
    "closed with finished groups in it, row 25": (seen("Open", "CloseQueue", groups=DONE), "Closed"),
    "closed while a child drains": (seen("Open", "CloseQueue", children={"c": CLOSING}), "Closing"),
    "closed while unknown": (seen("Unknown", "CloseQueue"), "Closed"),
    "closing, drained": (seen("Closing", groups=DONE), "Closed"),
    "closing, not drained": (seen("Closing", groups=BUSY), "Closing"),
    "closing, children closed": (seen("Closing", children={"c": CLOSED}), "Closed"),
    "closed": (seen("Closed", groups=BUSY), "Closed"),
    "opened": (seen("Closed", "OpenQueue"), "Open"),
    "opened while closing": (seen("Closing", "OpenQueue", groups=BUSY), "Open"),
    "closed, then opened": (seen("Open", "CloseQueue", "OpenQueue"), "Open"),
    "opened, then closed": (seen("Closed", "OpenQueue", "CloseQueue"), "Closed"),
    "opened below a closed parent": (seen("Closed", "OpenQueue", parent=CLOSED), "Closed"),
    "meant for a namesake": (seen("Open", "StaleCloseQueue"), "Open"),
    "an unknown action": (seen("Open", "Explode"), "Open"),
    "a close of root": (seen("Open", "CloseQueue", name="root"), "Open"),
    "parent closed": (seen("Open", parent=CLOSED), "Closed"),
    "parent closing": (seen("Open", parent=CLOSING, groups=BUSY), "Closing"),
    "parent opened again": (seen("Closed", parent=OPEN, mark="true"), "Open"),
    "closed by itself, parent open": (seen("Closed", parent=OPEN), "Closed"),
    "closed by itself before its parent": (seen("Closed", parent=OPEN, mark="false"), "Closed"),
}


@pytest.mark.parametrize("case", STATES)
def test_the_state_of_a_queue_that_is(case: str) -> None:
    given, wanted = STATES[case]
    decision = decide(given)
    assert decision.status is not None
    assert decision.status["state"] == wanted
    deleted = {action.name for action in decision.cleanup if isinstance(action, Delete)}
    assert deleted == {command.metadata.name for command in given.commands}  # whatever their result
    assert len(decision.notes) == len(given.commands)


def test_the_annotation_is_set_before_closing_and_removed_after_opening() -> None:
    """Whichever process is killed in between, a queue that its parent closed opens with it."""
    closes = decide(seen("Open", parent=CLOSED))
    assert [action.patch for action in closes.actions if isinstance(action, Patch)] == [
        {"metadata": {"annotations": {names.CLOSED_BY_PARENT: "true"}}}
    ]
    opens = decide(seen("Closed", parent=OPEN, mark="true"))
    assert opens.actions == ()
    assert [action.patch for action in opens.cleanup if isinstance(action, Patch)] == [
        {"metadata": {"annotations": {names.CLOSED_BY_PARENT: "false"}}}
    ]


def test_a_command_carried_out_twice_has_the_same_effect() -> None:
    for order in ("CloseQueue", "OpenQueue"):
        once = decide(seen("Open", order, groups=BUSY)).status
        assert once is not None
        assert decide(seen(once["state"], order, groups=BUSY)).status == once


def test_a_cycle_of_parents_is_reported_by_one_event_and_moves_no_state() -> None:
    given = seen("Closed", cycle=("q", "p", "q"))
    decision = decide(given)
    (note,) = decision.notes
    assert (note.reason, note.type) == ("ParentCycle", "Warning")
    assert "q -> p -> q" in note.message
    assert decision.status == {"state": "Closed"}
    assert decide(msgspec.structs.replace(given, reported_cycle=given.cycle)).notes == ()


def test_the_parent_defaults_to_root() -> None:
    given = seen()
    orphan = msgspec.structs.replace(given.queue, spec=msgspec.structs.replace(given.queue.spec, parent=""))
    (patch,) = decide(msgspec.structs.replace(given, queue=orphan)).actions
    assert isinstance(patch, Patch)
    assert patch.patch == {"spec": {"parent": "root"}}


def test_counters_are_written_but_not_at_every_change() -> None:
    groups = {PodGroupPhase.PENDING: 2, PodGroupPhase.RUNNING: 1, PodGroupPhase.INQUEUE: 0}
    given = seen(groups=groups, allocated={"cpu": "3"}, wrote_ago=0.25)
    early = decide(given)
    assert (early.status, early.requeue_after) == (None, 0.75)
    late = decide(msgspec.structs.replace(given, wrote_ago=1.25))
    assert late.status == {"state": "Open", "pending": 2, "running": 1, "allocated": {"cpu": "3"}}
    assert decide(seen("Open", "CloseQueue", groups=BUSY, wrote_ago=0.0)).status is not None  # a state never waits


def test_status_fields_of_others_are_kept() -> None:
    given = seen()
    body = {**given.body, "status": {"state": "Open", "allocated": {"cpu": "7"}, "reservation": {"nodes": ["n"]}}}
    status = decide(msgspec.structs.replace(given, body=body)).status
    assert status == body["status"]


def test_only_the_queues_root_and_default_are_created() -> None:
    made = [missing(name).actions for name in ("root", "default", "mine")]
    bodies = [[action.body["spec"] for action in actions if isinstance(action, Create)] for actions in made]
    assert bodies == [
        [{"weight": 1, "reclaimable": False}],
        [{"weight": 1, "reclaimable": True, "parent": "root"}],
        [],
    ]


def test_amounts_are_canonical_quantities() -> None:
    given = {"cpu": 1500, "memory": 3 << 29, "pods": 4, "nvidia.com/gpu": 0}
    assert as_quantities(given) == {"cpu": "1500m", "memory": "1536Mi", "pods": "4"}
