"""Each invariant finds its violation, and none is found in a good run."""

from dataclasses import replace

import pytest

from shared.kinds import JOBFLOW
from shared.model.types import Body
from tests.chaos.chaos_cluster import MemorySample
from tests.chaos.invariants import ENOUGH, RunObservation, growth, ineffective_faults, violations
from tests.chaos.recording.cpu_waits import longest_wait
from tests.chaos.recording.phase_recorder import RecordedPhase
from tests.chaos.recording.pod_recorder import AdmittedGang
from tests.chaos.workloads import After, Workload


def change(job: str, phase: str, place: int, uid: str = "", step: str = "") -> RecordedPhase:
    return RecordedPhase(job, uid or f"uid-{job}", phase, "f", step or job[-1], "", "0", place)


def thing(kind: str, name: str, *owners: str) -> Body:
    references = [{"kind": "JobFlow", "name": owner, "uid": f"uid-{owner}"} for owner in owners]
    return {"kind": kind, "metadata": {"name": name, "uid": f"uid-{name}", "ownerReferences": references}}


def ended(phase: str = "Succeed", running: int = 0, **steps: str) -> Body:
    texts = [
        {"name": name, "phase": parameters}
        for name, parameters in (steps or {"a": "Completed", "b": "Completed"}).items()
    ]
    status = {"state": {"phase": phase}, "steps": texts, "completionTime": "now", "counts": {"running": running}}
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
    change("f-a", "", 1),
    change("f-a", "Completed", 2),
    change("f-b", "", 3),
    change("f-b", "Completed", 4),
)
LEFT = (ended(), thing("Job", "f-a", "f"), thing("Job", "f-b", "f"))
GANG = LEFT[1] | {"spec": {"minAvailable": 2, "tasks": [{"replicas": 2}]}}
TIMED = (COURSE[0], replace(COURSE[1], at=10.0), *COURSE[2:])
LEADER = MemorySample("first", 1, 80.0, leads=1)
GOOD = RunObservation((WORK,), {"f": ended()}, LEFT, COURSE, (LEADER, MemorySample("second", 2, 70.0, waiting=2)))

BAD: dict[str, tuple[RunObservation, str]] = {
    "late": (replace(GOOD, late=("after 60 s: no end",)), "no end"),
    "wrong end": (replace(GOOD, ends={"f": ended("Failed")}), "ended in phase Failed, not Succeed"),
    "wrong step": (replace(GOOD, ends={"f": ended(a="Completed", b="Skipped")}), "steps ended"),
    "no end time": (
        replace(GOOD, ends={"f": ended() | {"status": ended()["status"] | {"completionTime": ""}}}),
        "no comp",
    ),
    "still running": (replace(GOOD, ends={"f": ended(running=1)}), "status counts 1 running"),
    "made twice": (replace(GOOD, changes=(*COURSE, change("f-b", "", 5, uid="other"))), "f-b was created 2 times"),
    "two for a step": (replace(GOOD, changes=(*COURSE, change("f-bb", "", 5))), "2 Jobs were created for f/b/0"),
    "never made": (replace(GOOD, changes=COURSE[:2]), "f-b was never created"),
    "unasked": (replace(GOOD, changes=(*COURSE, change("f-c", "", 5))), "f-c should not"),
    "too many at once": (replace(GOOD, changes=(COURSE[0], COURSE[2], COURSE[1], COURSE[3])), "2 Jobs at once"),
    "orphan": (replace(GOOD, left=(*LEFT, thing("Pod", "p", "gone"))), "JobFlow gone, which is gone"),
    "lost": (replace(GOOD, left=LEFT[:2]), "['f-b'] missing"),
    "own fault": (replace(GOOD, faults=("first: stopped by a fault",)), "stopped by a fault"),
    "panic": (replace(GOOD, samples=(MemorySample("first", 1, 80.0, panics=2, leads=1),)), "2 reconciles failed"),
    "stuck leader": (replace(GOOD, samples=(MemorySample("first", 1, 80.0, waiting=1, leads=1),)), "1 keys wait"),
    "limit": (replace(GOOD, exceeded=("queue q: 3 CPUs let in, its capability is 2",)), "3 CPUs let in"),
    "half a gang": (
        replace(GOOD, left=(ended(), GANG, LEFT[2]), admissions=(AdmittedGang("f-a", "0", 1),)),
        "when 1 of 2 existed",
    ),
    "stale": (replace(GOOD, changes=TIMED, shown={"f-a": 14.5}), "Completed was shown after 4.5 s"),
    "stale beside a short wait": (
        replace(GOOD, changes=TIMED, shown={"f-a": 14.5}, waits=((9.0, {"1": 5.0}), (15.0, {"1": 6.0}))),
        "4.5 s, 1.0 s of it without CPU",
    ),
    "hoarding standby": (replace(GOOD, samples=(LEADER, MemorySample("second", 2, 70.0, waiting=9))), "9 keys wait"),
}


def test_a_correct_run_has_no_violations() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize(("observation", "wanted"), BAD.values(), ids=BAD)
def test_a_violation_is_found(observation: RunObservation, wanted: str) -> None:
    assert any(wanted in violation for violation in violations(observation)), violations(observation)


def test_a_job_created_before_its_target_ended_violates_the_order() -> None:
    early = (change("f-a", "", 1), change("f-b", "", 2), change("f-a", "Completed", 3), change("f-b", "Completed", 4))
    assert "Job f-b was created before f-a was Completed" in violations(replace(GOOD, changes=early))


def test_items_of_one_list_have_no_order() -> None:
    together = tuple(replace(each, place=1) for each in COURSE)
    assert violations(replace(GOOD, changes=together)) == []


WAITS = ((8.0, {"1": 2.0, "2": 0.0}), (10.5, {"1": 3.0, "2": 0.5}), (14.0, {"1": 4.0, "2": 2.5, "3": 9.0}))


@pytest.mark.parametrize(
    ("begin", "end", "wanted"),
    [(8.0, 10.5, 1.0), (11.0, 14.0, 2.0), (9.0, 13.0, 2.5), (0.0, 20.0, 2.5), (15.0, 20.0, 0.0)],
)
def test_the_process_that_waited_longest_for_a_cpu_counts(begin: float, end: float, wanted: float) -> None:
    assert longest_wait(WAITS, begin, end) == wanted


def test_a_status_is_not_late_by_the_time_in_which_a_process_had_no_cpu() -> None:
    starved = replace(GOOD, changes=TIMED, shown={"f-a": 14.5}, waits=((9.0, {"1": 5.0}), (15.0, {"1": 6.6})))
    assert violations(starved) == []


GROWTH: dict[str, tuple[float, int, int]] = {  # MiB and tasks more with each run, violations
    "growth": (0.0, 0, 0),
    "settling": (0.5, 0, 0),
    "memory": (5.0, 0, 1),
    "tasks": (0.0, 4, 1),
}


@pytest.mark.parametrize(("memory", "tasks", "wanted"), GROWTH.values(), ids=GROWTH)
def test_growth_from_run_to_run_is_found(memory: float, tasks: int, wanted: int) -> None:
    history = [[MemorySample("first", 1, 80 + memory * run, tasks=30 + tasks * run)] for run in range(30)]
    assert len(growth(history)) == wanted


DONE: dict[str, tuple[list[int], int]] = {  # how often the fault injected in each run, violations
    "never": ([0] * ENOUGH, 1),
    "once": ([0] * ENOUGH + [1], 0),
    "too few runs to tell": ([0] * (ENOUGH - 1), 0),
}


@pytest.mark.parametrize(("injected", "wanted"), DONE.values(), ids=DONE)
def test_a_fault_that_never_takes_effect_is_reported(injected: list[int], wanted: int) -> None:
    assert len(ineffective_faults([("reset", times) for times in injected])) == wanted
