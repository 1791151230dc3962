"""Each verdict finds its violation, and finds none in a good run."""

from dataclasses import replace

import pytest

from shared.kinds import JOBFLOW
from shared.model.types import Body
from tests.chaos.verdicts import ENOUGH, RunObservation, flat, harmless, judge
from tests.chaos.witness import PhaseChange
from tests.chaos.workloads import After, Workload
from tests.chaos.world import MemorySample


def moment(job: str, phase: str, place: int, uid: str = "", step: str = "") -> PhaseChange:
    return PhaseChange(job, uid or f"uid-{job}", phase, "f", step or job[-1], "", "0", place)


def thing(kind: str, name: str, *owners: str) -> Body:
    references = [{"kind": "JobFlow", "name": owner, "uid": f"uid-{owner}"} for owner in owners]
    return {"kind": kind, "metadata": {"name": name, "uid": f"uid-{name}", "ownerReferences": references}}


def ended(phase: str = "Succeed", running: int = 0, **steps: str) -> Body:
    told = [{"name": name, "phase": said} for name, said in (steps or {"a": "Completed", "b": "Completed"}).items()]
    status = {"state": {"phase": phase}, "steps": told, "completionTime": "now", "counts": {"running": running}}
    return thing("JobFlow", "f") | {"status": status}


WORK = Workload(
    JOBFLOW,
    "f",
    (),
    "Succeed",
    frozenset(("f-a", "f-b")),
    frozenset(("f-a", "f-b")),
    {"a": "Completed", "b": "Completed"},
    (After("f-b", "f-a"),),
    most=1,
)
COURSE = (
    moment("f-a", "", 1),
    moment("f-a", "Completed", 2),
    moment("f-b", "", 3),
    moment("f-b", "Completed", 4),
)
LEFT = (ended(), thing("Job", "f-a", "f"), thing("Job", "f-b", "f"))
LEADER = MemorySample("first", 1, 80.0, leads=1)
GOOD = RunObservation((WORK,), {"f": ended()}, LEFT, COURSE, (LEADER, MemorySample("second", 2, 70.0, waiting=2)))

BAD: dict[str, tuple[RunObservation, str]] = {
    "late": (replace(GOOD, late=("after 60 s: no end",)), "no end"),
    "wrong end": (replace(GOOD, ends={"f": ended("Failed")}), "ended Failed, not Succeed"),
    "wrong step": (replace(GOOD, ends={"f": ended(a="Completed", b="Skipped")}), "steps ended"),
    "no end time": (
        replace(GOOD, ends={"f": ended() | {"status": ended()["status"] | {"completionTime": ""}}}),
        "no comp",
    ),
    "still running": (replace(GOOD, ends={"f": ended(running=1)}), "1 still run"),
    "made twice": (replace(GOOD, moments=(*COURSE, moment("f-b", "", 5, uid="other"))), "f-b was made 2 times"),
    "two for a step": (replace(GOOD, moments=(*COURSE, moment("f-bb", "", 5))), "2 Jobs were made for f/b/0"),
    "never made": (replace(GOOD, moments=COURSE[:2]), "f-b was never made"),
    "unasked": (replace(GOOD, moments=(*COURSE, moment("f-c", "", 5))), "f-c should never"),
    "too many at once": (replace(GOOD, moments=(COURSE[0], COURSE[2], COURSE[1], COURSE[3])), "2 Jobs at once"),
    "orphan": (replace(GOOD, left=(*LEFT, thing("Pod", "p", "gone"))), "JobFlow gone, which is gone"),
    "lost": (replace(GOOD, left=LEFT[:2]), "['f-b'] missing"),
    "own fault": (replace(GOOD, faults=("first: stopped by a fault",)), "stopped by a fault"),
    "panic": (replace(GOOD, samples=(MemorySample("first", 1, 80.0, panics=2, leads=1),)), "2 passes failed"),
    "stuck leader": (replace(GOOD, samples=(MemorySample("first", 1, 80.0, waiting=1, leads=1),)), "1 keys wait"),
    "hoarding standby": (replace(GOOD, samples=(LEADER, MemorySample("second", 2, 70.0, waiting=9))), "9 keys wait"),
}


def test_a_good_run_has_no_complaints() -> None:
    assert judge(GOOD) == []


@pytest.mark.parametrize(("seen", "wanted"), BAD.values(), ids=BAD)
def test_a_violation_is_found(seen: RunObservation, wanted: str) -> None:
    assert any(wanted in complaint for complaint in judge(seen)), judge(seen)


def test_a_job_made_before_its_target_ended_breaks_the_order() -> None:
    early = (moment("f-a", "", 1), moment("f-b", "", 2), moment("f-a", "Completed", 3), moment("f-b", "Completed", 4))
    assert "Job f-b was made before f-a was Completed" in judge(replace(GOOD, moments=early))


def test_what_one_list_tells_has_no_order() -> None:
    together = tuple(replace(each, place=1) for each in COURSE)
    assert judge(replace(GOOD, moments=together)) == []


GROWTH: dict[str, tuple[float, int, int]] = {  # MiB and tasks more with each run, complaints
    "flat": (0.0, 0, 0),
    "settling": (0.5, 0, 0),
    "memory": (5.0, 0, 1),
    "tasks": (0.0, 4, 1),
}


@pytest.mark.parametrize(("memory", "tasks", "wanted"), GROWTH.values(), ids=GROWTH)
def test_growth_from_run_to_run_is_found(memory: float, tasks: int, wanted: int) -> None:
    history = [[MemorySample("first", 1, 80 + memory * run, tasks=30 + tasks * run)] for run in range(30)]
    assert len(flat(history)) == wanted


DONE: dict[str, tuple[list[int], int]] = {  # how often the harm struck in each run, complaints
    "never": ([0] * ENOUGH, 1),
    "once": ([0] * ENOUGH + [1], 0),
    "too few runs to tell": ([0] * (ENOUGH - 1), 0),
}


@pytest.mark.parametrize(("struck", "wanted"), DONE.values(), ids=DONE)
def test_a_harm_that_does_none_is_a_fault_of_the_suite(struck: list[int], wanted: int) -> None:
    assert len(harmless([("reset", times) for times in struck])) == wanted
