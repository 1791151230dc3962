"""Invariants that hold after every run, whatever faults were injected. Pure: an observation in, violations out."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.kinds import JOBFLOW
from shared.model.types import Body
from tests.chaos.chaos_cluster import MemorySample
from tests.chaos.recording.cpu_waits import Sample, longest_wait
from tests.chaos.recording.phase_recorder import RecordedPhase
from tests.chaos.recording.pod_recorder import AdmittedGang
from tests.chaos.workloads import ENDED, After, Workload

MEMORY_GROWTH: Final = 40.0  # MiB that a process may grow from its settled state on
SETTLED: Final = 5  # runs after which the memory of a process is expected to be stable
TASKS_GROWTH: Final = 20
STALE: Final = 3.0  # seconds
ENOUGH: Final = 5  # runs in which a fault may have no effect by chance


@dataclass(frozen=True)
class RunObservation:
    """`ends`: the workloads' main objects by name; `left`: all our objects in the namespace; `changes`: phases of its
    Jobs; `late`: what did not happen in time; `faults`: log lines of processes that failed by a defect of their own;
    `exceeded`: limits of queues that were exceeded; `admissions`: how gangs were admitted; `shown`: when the flow's
    status first showed the end of each Job; `troubled`: from when to when statuses may be older than usual; `waits`: how
    long processes had waited for a CPU."""

    workloads: Sequence[Workload]
    ends: Mapping[str, Body]
    left: Sequence[Body]
    changes: Sequence[RecordedPhase]
    samples: Sequence[MemorySample] = ()
    late: Sequence[str] = ()
    faults: Sequence[str] = ()
    exceeded: Sequence[str] = ()
    admissions: Sequence[AdmittedGang] = ()
    shown: Mapping[str, float] = field(default_factory=dict)
    troubled: Sequence[tuple[float, float]] = ()
    waits: Sequence[Sample] = ()


Invariant = Callable[[RunObservation], Iterator[str]]


def in_time(observation: RunObservation) -> Iterator[str]:
    yield from observation.late


def expected_end(observation: RunObservation) -> Iterator[str]:
    """Every flow, Job and step ended in the phase that its workload expects."""
    for each in observation.workloads:
        status = observation.ends.get(each.name, {}).get("status") or {}
        phase = (status.get("state") or {}).get("phase", "")
        if phase != each.phase:
            yield f"{each.name}: ended in phase {phase or '(none)'}, not {each.phase}"
        steps = {step["name"]: step["phase"] for step in status.get("steps") or []}
        if steps != dict(each.steps):
            why = {step["name"]: f"{step.get('reason')} {step.get('message')}" for step in status.get("steps") or []}
            yield f"{each.name}: steps ended {steps}, not {dict(each.steps)}, because {why}"
        for key, wanted in (each.status or {}).items():
            if status.get(key) != wanted:
                yield f"{each.name}: status.{key} is {status.get(key)}, not {wanted}"


def each_job_once(observation: RunObservation) -> Iterator[str]:
    """One Job was created for each name and for each step, iteration and attempt, and none is missing."""
    uids: dict[str, set[str]] = defaultdict(set)
    turns: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for change in observation.changes:
        uids[change.job].add(change.uid)
        if change.step:
            turns[change.owner, change.step, change.iteration, change.attempt].add(change.uid)
    wanted = {job for each in observation.workloads for job in each.jobs}
    for job in sorted(wanted - set(uids)):
        yield f"Job {job} was never created"
    for job in sorted(set(uids) - wanted):
        yield f"Job {job} should not have been created"
    for job, found in sorted(uids.items()):
        if len(found) > 1:
            yield f"Job {job} was created {len(found)} times"
    for turn, found in sorted(turns.items()):
        if len(found) > 1:
            yield f"{len(found)} Jobs were created for {'/'.join(filter(None, turn))}"


def order_kept(observation: RunObservation) -> Iterator[str]:
    first: dict[tuple[str, str], int] = {}
    for change in observation.changes:
        first.setdefault((change.job, change.phase), change.place)
    for each in observation.workloads:
        for after in each.order:
            if early := _early(after, first):
                yield early


def _early(after: After, first: Mapping[tuple[str, str], int]) -> str:
    made = first.get((after.job, ""))
    reached = [first[after.before, phase] for phase in after.phases if (after.before, phase) in first]
    if made is None or any(place <= made for place in reached):
        return ""
    return f"Job {after.job} was created before {after.before} was {' or '.join(after.phases)}"


def not_too_many(observation: RunObservation) -> Iterator[str]:
    """A flow never had more unfinished Jobs than its parallelism."""
    for each in observation.workloads:
        if not each.most:
            continue
        alive: set[str] = set()
        ended: set[str] = set()
        for change in observation.changes:
            if change.job not in each.jobs:
                continue
            (ended if change.phase in ENDED else alive).add(change.job)
            if len(alive - ended) > each.most:
                yield f"{each.name}: {len(alive - ended)} Jobs at once, {each.most} are allowed"
                break


def no_orphan(observation: RunObservation) -> Iterator[str]:
    """The owners of all remaining objects exist, and the remaining Jobs are those to be kept."""
    uids = {body["metadata"]["uid"] for body in observation.left}
    for body in observation.left:
        meta = body["metadata"]
        gone = [each for each in meta.get("ownerReferences") or [] if each["uid"] not in uids]
        if gone and not meta.get("deletionTimestamp"):
            yield f"{body['kind']} {meta['name']} belongs to {gone[0]['kind']} {gone[0]['name']}, which is gone"
    kept = {body["metadata"]["name"] for body in observation.left if body["kind"] == "Job"}
    wanted = {job for each in observation.workloads for job in each.kept}
    if kept != wanted:
        yield f"Jobs left: {sorted(kept - wanted)} too many, {sorted(wanted - kept)} missing"


def status_is_consistent(observation: RunObservation) -> Iterator[str]:
    """An ended flow has a completionTime and counts no running step."""
    for each in observation.workloads:
        status = observation.ends.get(each.name, {}).get("status") or {}
        if each.kind == JOBFLOW and not status.get("completionTime"):
            yield f"{each.name}: has no completionTime"
        running = (status.get("counts") or {}).get("running", 0) if each.kind == JOBFLOW else status.get("running", 0)
        if running:
            yield f"{each.name}: status counts {running} running"


def no_own_fault(observation: RunObservation) -> Iterator[str]:
    yield from observation.faults
    for sample in observation.samples:
        if sample.panics:
            yield f"{sample.name}: {sample.panics} reconciles failed by a defect of our own"


def nothing_stuck(observation: RunObservation) -> Iterator[str]:
    for sample in observation.samples:
        if sample.busy:
            yield f"{sample.name}: {sample.waiting} keys wait and {sample.active} are being processed after everything has ended"


def limits_hold(observation: RunObservation) -> Iterator[str]:
    yield from dict.fromkeys(observation.exceeded)


def minimum_or_nothing(observation: RunObservation) -> Iterator[str]:
    """No pod of a gang was admitted before as many of its pods existed as it needs."""
    minimums = {body["metadata"]["name"]: _minimum(body) for body in observation.left if body["kind"] == "Job"}
    for each in observation.admissions:
        if each.existing < minimums.get(each.job, 0):
            yield f"Job {each.job}: a pod was let in when {each.existing} of {minimums[each.job]} existed"


def _minimum(job: Body) -> int:
    """The pods that a Job needs at once; 0 if its tasks start one after the other."""
    spec = job.get("spec") or {}
    staged = any(task.get("dependsOn") for task in spec.get("tasks") or ())
    return 0 if staged else int(spec.get("minAvailable") or 0)


def status_is_fresh(observation: RunObservation) -> Iterator[str]:
    """A flow's status showed the end of each of its Jobs within STALE seconds, except while our processes were troubled.

    The longest time that one process was without CPU in between does not count.
    """
    for change in observation.changes:
        shown = observation.shown.get(change.job)
        if change.phase not in ENDED or not change.step or shown is None:
            continue
        if any(begin - STALE <= change.at <= end for begin, end in observation.troubled):
            continue
        took = shown - change.at
        if took > STALE and took - (waited := longest_wait(observation.waits, change.at, shown)) > STALE:
            yield f"Job {change.job}: {change.phase} was shown after {took:.1f} s, {waited:.1f} s of it without CPU"


INVARIANTS: Final[tuple[Invariant, ...]] = (
    in_time,
    expected_end,
    each_job_once,
    order_kept,
    not_too_many,
    no_orphan,
    status_is_consistent,
    no_own_fault,
    nothing_stuck,
    limits_hold,
    minimum_or_nothing,
    status_is_fresh,
)


def violations(observation: RunObservation) -> list[str]:
    """All violations in a run."""
    return [violation for verdict in INVARIANTS for violation in verdict(observation)]


def growth(history: Sequence[Sequence[MemorySample]]) -> list[str]:
    """Violations by processes whose memory or tasks grew from run to run. `history`: samples of each run."""
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


def ineffective_faults(done: Sequence[tuple[str, int]]) -> list[str]:
    """Violations by faults that took effect in no run. `done`: (fault, how often it took effect) for each run."""
    runs, injected = Counter(name for name, _ in done), Counter(name for name, times in done if times)
    return [
        f"{name}: was planned in {count} runs and took effect in none"
        for name, count in sorted(runs.items())
        if count >= ENOUGH and not injected[name]
    ]


def tally(names: Sequence[str]) -> str:
    """`diamond 3, loop 2`."""
    return ", ".join(f"{name} {count}" for name, count in sorted(Counter(names).items()))
