"""What must be true after a run, whatever was done to it. Pure: seen facts in, complaints out."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.kinds import JOBFLOW
from shared.model.types import Body
from tests.chaos.witness import PhaseChange
from tests.chaos.workloads import ENDED, After, Workload
from tests.chaos.world import MemorySample

MEMORY_GROWTH: Final = 40.0  # MiB that a process may grow from its settled state on
SETTLED: Final = 5  # runs after which a process has seen everything once
TASKS_GROWTH: Final = 20
ENOUGH: Final = 5  # runs in which a harm may do nothing, by chance


@dataclass(frozen=True)
class RunObservation:
    """`ends`: the workloads' main objects by name; `left`: every object of ours in the namespace; `moments`: of its
    Jobs; `late`: what did not happen in time; `faults`: last words of processes that ended by a fault of their own."""

    workloads: Sequence[Workload]
    ends: Mapping[str, Body]
    left: Sequence[Body]
    moments: Sequence[PhaseChange]
    samples: Sequence[MemorySample] = ()
    late: Sequence[str] = ()
    faults: Sequence[str] = ()


Verdict = Callable[[RunObservation], Iterator[str]]


def in_time(seen: RunObservation) -> Iterator[str]:
    yield from seen.late


def right_end(seen: RunObservation) -> Iterator[str]:
    """Every flow and Job is in the phase its workload must end in, and so is every step."""
    for each in seen.workloads:
        status = seen.ends.get(each.name, {}).get("status") or {}
        phase = (status.get("state") or {}).get("phase", "")
        if phase != each.phase:
            yield f"{each.name}: ended {phase or 'nowhere'}, not {each.phase}"
        steps = {step["name"]: step["phase"] for step in status.get("steps") or []}
        if steps != dict(each.steps):
            why = {step["name"]: f"{step.get('reason')} {step.get('message')}" for step in status.get("steps") or []}
            yield f"{each.name}: steps ended {steps}, not {dict(each.steps)}, because {why}"
        for field, wanted in (each.status or {}).items():
            if status.get(field) != wanted:
                yield f"{each.name}: status.{field} is {status.get(field)}, not {wanted}"


def each_job_once(seen: RunObservation) -> Iterator[str]:
    """Under each name, and for each step, iteration and attempt, one Job was ever made; and none was forgotten."""
    uids: dict[str, set[str]] = defaultdict(set)
    turns: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for moment in seen.moments:
        uids[moment.job].add(moment.uid)
        if moment.step:
            turns[moment.owner, moment.step, moment.iteration, moment.attempt].add(moment.uid)
    wanted = {job for each in seen.workloads for job in each.jobs}
    for job in sorted(wanted - set(uids)):
        yield f"Job {job} was never made"
    for job in sorted(set(uids) - wanted):
        yield f"Job {job} should never have been made"
    for job, found in sorted(uids.items()):
        if len(found) > 1:
            yield f"Job {job} was made {len(found)} times"
    for turn, found in sorted(turns.items()):
        if len(found) > 1:
            yield f"{len(found)} Jobs were made for {'/'.join(filter(None, turn))}"


def order_kept(seen: RunObservation) -> Iterator[str]:
    first: dict[tuple[str, str], int] = {}
    for moment in seen.moments:
        first.setdefault((moment.job, moment.phase), moment.place)
    for each in seen.workloads:
        for after in each.order:
            if early := _early(after, first):
                yield early


def _early(after: After, first: Mapping[tuple[str, str], int]) -> str:
    made = first.get((after.job, ""))
    reached = [first[after.before, phase] for phase in after.phases if (after.before, phase) in first]
    if made is None or any(place <= made for place in reached):
        return ""
    return f"Job {after.job} was made before {after.before} was {' or '.join(after.phases)}"


def not_too_many(seen: RunObservation) -> Iterator[str]:
    """Never more unfinished Jobs of a flow than its parallelism."""
    for each in seen.workloads:
        if not each.most:
            continue
        alive: set[str] = set()
        ended: set[str] = set()
        for moment in seen.moments:
            if moment.job not in each.jobs:
                continue
            (ended if moment.phase in ENDED else alive).add(moment.job)
            if len(alive - ended) > each.most:
                yield f"{each.name}: {len(alive - ended)} Jobs at once, {each.most} are allowed"
                break


def no_orphan(seen: RunObservation) -> Iterator[str]:
    """What is left belongs to something that is left, and the Jobs that are left are those to be kept."""
    uids = {body["metadata"]["uid"] for body in seen.left}
    for body in seen.left:
        meta = body["metadata"]
        gone = [each for each in meta.get("ownerReferences") or [] if each["uid"] not in uids]
        if gone and not meta.get("deletionTimestamp"):
            yield f"{body['kind']} {meta['name']} belongs to {gone[0]['kind']} {gone[0]['name']}, which is gone"
    kept = {body["metadata"]["name"] for body in seen.left if body["kind"] == "Job"}
    wanted = {job for each in seen.workloads for job in each.kept}
    if kept != wanted:
        yield f"Jobs left: {sorted(kept - wanted)} too many, {sorted(wanted - kept)} missing"


def status_tells_the_truth(seen: RunObservation) -> Iterator[str]:
    """An ended flow says when, and counts no running step."""
    for each in seen.workloads:
        status = seen.ends.get(each.name, {}).get("status") or {}
        if each.kind == JOBFLOW and not status.get("completionTime"):
            yield f"{each.name}: has no completionTime"
        running = (status.get("counts") or {}).get("running", 0) if each.kind == JOBFLOW else status.get("running", 0)
        if running:
            yield f"{each.name}: says that {running} still run"


def no_own_fault(seen: RunObservation) -> Iterator[str]:
    yield from seen.faults
    for sample in seen.samples:
        if sample.panics:
            yield f"{sample.name}: {sample.panics} passes failed by a fault of our own"


def nothing_stuck(seen: RunObservation) -> Iterator[str]:
    for sample in seen.samples:
        if sample.busy:
            yield f"{sample.name}: {sample.waiting} keys wait and {sample.active} are in hand, though all is done"


VERDICTS: Final[tuple[Verdict, ...]] = (
    in_time,
    right_end,
    each_job_once,
    order_kept,
    not_too_many,
    no_orphan,
    status_tells_the_truth,
    no_own_fault,
    nothing_stuck,
)


def judge(seen: RunObservation) -> list[str]:
    """All complaints about a run."""
    return [complaint for verdict in VERDICTS for complaint in verdict(seen)]


def flat(history: Sequence[Sequence[MemorySample]]) -> list[str]:
    """Complaints about processes that grew from run to run: in memory or in tasks. `history`: samples of each run."""
    by_pid: dict[tuple[str, int], list[MemorySample]] = defaultdict(list)
    for samples in history:
        for sample in samples:
            by_pid[sample.name, sample.pid].append(sample)
    found = []
    for (name, pid), lived in by_pid.items():
        if len(lived) < 3 * SETTLED:
            continue
        early, late = lived[SETTLED : 2 * SETTLED], lived[-SETTLED:]
        memory = min(each.memory for each in late) - max(each.memory for each in early)
        tasks = min(each.tasks for each in late) - max(each.tasks for each in early)
        if memory > MEMORY_GROWTH:
            found.append(f"{name} (pid {pid}) grew by {memory:.0f} MiB in {len(lived)} runs")
        if tasks > TASKS_GROWTH:
            found.append(f"{name} (pid {pid}) has {tasks} more tasks after {len(lived)} runs")
    return found


def harmless(done: Sequence[tuple[str, int]]) -> list[str]:
    """Complaints about harms that did none, in so many runs. `done`: harm, and how often it struck, for each run."""
    runs, struck = Counter(name for name, _ in done), Counter(name for name, times in done if times)
    return [
        f"{name}: was to be done in {count} runs and did no harm in any"
        for name, count in sorted(runs.items())
        if count >= ENOUGH and not struck[name]
    ]


def tally(names: Sequence[str]) -> str:
    """`diamond 3, loop 2`."""
    return ", ".join(f"{name} {count}" for name, count in sorted(Counter(names).items()))
