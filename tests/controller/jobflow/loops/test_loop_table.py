"""Every combination of failFast, tolerate, failureStrategy, allowFailure and parallelism (docs/reference.md, `for`).

A loop of four items beside a step that runs. Item 0 fails; where one failure is tolerated, item 1 fails as well. So the
loop has failed for good at the same point in each case, and what the others do is read from COURSES.
"""

import itertools
from typing import Any, Final

import pytest

from shared import ranges
from tests.controller.jobflow.make import FlowCluster, started, step

ALL, FINISH, TERMINATE = "every item runs", "what runs finishes", "what runs is terminated"
# By failFast, then failureStrategy; (the loop's failure fails the flow, the step has allowFailure).
COURSES: Final[dict[tuple[bool | None, str], tuple[str, str]]] = {
    (None, "Stop"): (FINISH, ALL),
    (None, "Continue"): (ALL, ALL),
    (None, "FailFast"): (TERMINATE, ALL),
    (True, "Stop"): (TERMINATE, TERMINATE),
    (True, "Continue"): (TERMINATE, TERMINATE),
    (True, "FailFast"): (TERMINATE, TERMINATE),
    (False, "Stop"): (ALL, ALL),
    (False, "Continue"): (ALL, ALL),
    (False, "FailFast"): (ALL, ALL),
}
CELLS: Final = [
    (fail_fast, strategy, allowed, tolerate, parallelism)
    for (fail_fast, strategy), allowed, tolerate, parallelism in itertools.product(
        COURSES, (False, True), (0, 1), (None, 2)
    )
]


def looping(cell: tuple[bool | None, str, bool, int, int | None]) -> FlowCluster:
    fail_fast, strategy, allowed, tolerate, parallelism = cell
    loop: dict[str, Any] = {"items": ["p", "q", "r", "s"]}
    given = {"failFast": fail_fast, "tolerate": tolerate or None, "parallelism": parallelism}
    loop |= {key: value for key, value in given.items() if value is not None}
    more = {"allowFailure": True} if allowed else {}
    cluster = started(step("loop", for_=loop, **more), step("other"), failureStrategy=strategy)
    cluster.run("f-other")
    for index in range(tolerate + 1):
        cluster.fail(f"f-loop-{index}")
    return cluster


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell)))
def test_a_loop_that_fails(cell: tuple[bool | None, str, bool, int, int | None]) -> None:
    fail_fast, strategy, allowed, tolerate, parallelism = cell
    course = COURSES[fail_fast, strategy][allowed]
    cluster = looping(cell)
    running = {0, 1, 2, 3} if parallelism is None else set(range(tolerate + 2))
    failed = set(range(tolerate + 1))
    # a slot that became free before the failure that counts has been used
    running -= failed
    reported = cluster.step("loop")
    for name in list(cluster.unfinished()):
        if name.startswith("f-loop"):
            cluster.complete(name)
    while open_ := [name for name in cluster.unfinished() if name.startswith("f-loop")]:
        cluster.complete(*open_)
    iterations = cluster.step("loop").iterations
    assert iterations is not None
    rest = {0, 1, 2, 3} - failed
    completed, terminated, not_started = {
        ALL: (rest, set(), set()),
        FINISH: (running, set(), rest - running),
        TERMINATE: (set(), running, rest - running),
    }[course]
    assert sets(iterations.completed_indexes, iterations.terminated_indexes, iterations.not_started) == [
        completed,
        terminated,
        not_started,
    ]
    assert sets(iterations.failed_indexes) == [failed]
    assert cluster.step("loop").phase == "Failed"
    # the flow fails, and stops its other steps, at the failure that counts and not when the loop has ended
    others_stop = strategy == "FailFast" and not allowed
    assert (cluster.phases()["other"] == "Terminated") is others_stop
    assert reported.reason == "IterationFailed"
    if not others_stop:
        cluster.complete("f-other")
    assert cluster.phase == ("Succeed" if allowed else "Failed")


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell[3]], ids=lambda cell: "-".join(map(str, cell)))
def test_a_tolerated_failure_changes_nothing(cell: tuple[bool | None, str, bool, int, int | None]) -> None:
    loop: dict[str, Any] = {"items": ["p", "q", "r"], "tolerate": 1}
    given = {"failFast": cell[0], "parallelism": cell[4]}
    loop |= {key: value for key, value in given.items() if value is not None}
    more = {"allowFailure": True} if cell[2] else {}
    cluster = started(step("loop", for_=loop, **more), step("other"), failureStrategy=cell[1])
    cluster.fail("f-loop-0")
    cluster.complete("f-loop-1")
    cluster.complete("f-loop-2")
    assert cluster.step("loop").phase == "Completed"
    assert cluster.phases()["other"] == "Pending"
    cluster.complete("f-other")
    assert cluster.phase == "Succeed"


def sets(*texts: str) -> list[set[int]]:
    return [set(ranges.parse(text)) for text in texts]
