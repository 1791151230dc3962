"""What users are told about a Command to a Job or a Queue once it is carried out."""

import pytest

from shared.actions.effects import ObservedEffect, effect_of
from shared.model.types import Body


def job(phase: str) -> Body:
    return {"metadata": {"name": "j"}, "status": {"state": {"phase": phase}}}


def queue(state: str, name: str = "q", **status: int) -> Body:
    return {"metadata": {"name": name}, "spec": {}, "status": {"state": state, **status}}


EFFECTS = {
    "suspended": (job("Running"), job("Aborted"), "AbortJob", True, "suspended"),
    "pods are ending": (
        job("Running"), job("Aborting"), "AbortJob", True, "being suspended: not all of its pods have ended yet",
    ),
    "suspended before": (job("Aborted"), job("Aborted"), "AbortJob", False, "it is already suspended"),
    "ended meanwhile": (job("Running"), job("Completed"), "AbortJob", False, "it has ended: Completed"),
    "not now": (job("Running"), job("Completing"), "AbortJob", False, "the Job is Completing"),
    "resumed": (job("Aborted"), job("Pending"), "ResumeJob", True, "resumed: it is Pending"),
    "nothing to resume": (job("Running"), job("Running"), "ResumeJob", False, "it is not suspended"),
    "suspended again": (job("Aborted"), job("Aborted"), "ResumeJob", False, "the Job is Aborted"),
    "opened": (queue("Closed"), queue("Open"), "OpenQueue", True, "open"),
    "open before": (queue("Open"), queue("Open"), "OpenQueue", False, "it is already open"),
    "closed": (queue("Open"), queue("Closed"), "CloseQueue", True, "closed"),
    "closing": (
        queue("Open"), queue("Closing", running=2, pending=1), "CloseQueue", True,
        "closing: it accepts no more Jobs; 3 PodGroups have not ended yet",
    ),
    "one group left": (
        queue("Open"), queue("Closing", running=1), "CloseQueue", True,
        "closing: it accepts no more Jobs; 1 PodGroup has not ended yet",
    ),
    "queues below": (
        queue("Open"), queue("Closing"), "CloseQueue", True,
        "closing: it accepts no more Jobs; queues below it have not closed yet",
    ),
    "the root": (queue("Open", "root"), queue("Open", "root"), "CloseQueue", False, "queue root cannot be closed"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "action", "done", "message"), EFFECTS.values(), ids=EFFECTS.keys())
def test_the_effect_of_a_command(before: Body, after: Body, action: str, done: bool, message: str) -> None:
    assert effect_of(before, after, action) == ObservedEffect(done, message)


def test_a_queue_below_a_closed_one_is_not_opened() -> None:
    found = effect_of(queue("Closed"), queue("Closed"), "OpenQueue", queue("Closing", "lab"))

    assert found == ObservedEffect(False, "its parent lab is Closing; open that first")
