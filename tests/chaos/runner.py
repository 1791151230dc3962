"""One run: submit workloads, inject faults and recover from them, wait for the end, and check the invariants."""

import itertools
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from local.client.blocking import until
from shared.kinds import CONFIGMAP, JOB, JOBFLOW, JOBTEMPLATE, NAMESPACE, POD, PODGROUP, SECRET, SERVICE
from shared.model.types import Body
from tests.chaos import invariants
from tests.chaos import plan as plans
from tests.chaos.chaos_cluster import ChaosCluster, MemorySample
from tests.chaos.faults import FAULTS
from tests.chaos.faults.fault import FAULT_TARGETS
from tests.chaos.invariants import RunObservation
from tests.chaos.plan import ChaosPlan
from tests.chaos.recording.cpu_waits import CpuWaitRecorder
from tests.chaos.recording.phase_recorder import PhaseRecorder
from tests.chaos.workloads import FINAL, WORKLOADS, Workload
from tests.e2e.support.scenario import phase

# Only a failing run waits this long. On a busy machine starting a process takes up to half a minute.
END_SECONDS: Final = 150.0
QUIET_SECONDS: Final = 120.0
GONE_SECONDS: Final = 120.0
LOOKED_AT: Final = (JOBFLOW, JOBTEMPLATE, JOB, POD, PODGROUP, SERVICE, CONFIGMAP, SECRET)
OWN_FAULTS: Final = ("stopped by a fault", "Traceback (most recent call last)")
LOG_LENGTH: Final = 20_000
_NUMBERS: Final = itertools.count()


@dataclass(frozen=True)
class RunResult:
    """`injected`: how often each fault took effect, by key; `phases`: seconds spent in each part of the run; `restarts`:
    number of restarted processes; `words`: objects and ends of logs, only where there are violations."""

    plan: ChaosPlan
    violations: Sequence[str]
    seconds: float
    samples: Sequence[MemorySample] = ()
    injected: Mapping[str, int] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    restarts: int = 0
    words: str = field(default="", repr=False)


def tried(cluster: ChaosCluster, recorder: PhaseRecorder, plan: ChaosPlan) -> RunResult:
    """Like `run`; an exception of the run itself becomes a violation."""
    try:
        return run(cluster, recorder, plan)
    except Exception:  # noqa: BLE001 - of any kind: the other seeds continue
        return RunResult(plan, [f"the run failed: {traceback.format_exc()}"], 0.0)


def run(cluster: ChaosCluster, recorder: PhaseRecorder, plan: ChaosPlan) -> RunResult:
    """Run the plan. Whatever a fault causes becomes a violation and is not raised."""
    watch = Stopwatch()
    cluster.namespace_of_run = namespace = f"chaos-{plan.seed}-{next(_NUMBERS)}"
    cluster.deleted_namespaces.clear()
    before = cluster.restarts
    marks = {name: cluster.processes[name].log.stat().st_size for name in ("first", "second", "webhook")}
    cluster.seed(plan.seed)
    cluster.kube.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    made = [_made(name, namespace, plan.seed, number) for number, name in enumerate(plan.workloads)]
    late: list[str] = []
    quiet: list[MemorySample] = []
    with CpuWaitRecorder(cluster.pids) as waiting:
        lasted = _fault(cluster, plan, made)
        watch.note("faults")
        _await(late, lambda: _ends(cluster, made), END_SECONDS)
        watch.note("ends")
    _await(late, lambda: _is_quiet(cluster, made, quiet), QUIET_SECONDS)
    watch.note("quiet")
    looked = _look(cluster, recorder, made, late, marks)
    observation = replace(
        looked, samples=tuple(quiet), troubled=plans.troubled(plan, lasted), waits=tuple(waiting.samples)
    )
    cluster.kube.delete(NAMESPACE, "", namespace)
    _await(late, lambda: _are_gone(cluster, [namespace, *cluster.deleted_namespaces.values()]), GONE_SECONDS)
    watch.note("gone")
    recorder.forget(namespace)
    violations = invariants.violations(observation)
    words = "" if not violations else _words(cluster, observation)
    injected, restarts = dict(cluster.injected), cluster.restarts - before
    return RunResult(
        plan, violations, sum(watch.spent.values()), observation.samples, injected, watch.spent, restarts, words
    )


class Stopwatch:
    """`spent`: seconds by phase."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._last = time.monotonic()

    def note(self, phase: str) -> None:
        now = time.monotonic()
        self.spent[phase] = now - self._last
        self._last = now


def _words(cluster: ChaosCluster, observation: RunObservation) -> str:
    """Details that explain a violation: the status of every object in a line, and the ends of the logs."""
    objects = [
        f"{body['kind']} {body['metadata']['name']} {body['metadata'].get('deletionTimestamp', '')} {body.get('status')}"
        for body in observation.left
        if body["kind"] in ("JobFlow", "Job", "PodGroup", "Pod")
    ]
    logs = [f"--- {name}\n{cluster.logs(name, LOG_LENGTH)}" for name in (*FAULT_TARGETS, "nodes", "apiserver")]
    return "\n".join([*(each[:700] for each in objects), *logs])


def _made(name: str, namespace: str, seed: int, number: int) -> Workload:
    return WORKLOADS[name](namespace, f"{name}-{number}", Random(f"{name} {seed}"))


def _fault(cluster: ChaosCluster, plan: ChaosPlan, made: Sequence[Workload]) -> dict[str, tuple[float, float]]:
    """Submit the workloads and inject the faults; returns when each fault began and was over, by its key."""
    lasted: dict[str, tuple[float, float]] = {}
    start = time.monotonic()
    for at, each in zip(plans.arrivals(plan), made, strict=True):
        cluster.submit_at(start + at, each.objects)
    for at, over, scheduled in plans.changes(plan):
        time.sleep(max(0.0, start + at - time.monotonic()))
        fault = FAULTS[scheduled.fault]
        begin = lasted.get(scheduled.key, (time.monotonic(), 0.0))[0]
        (fault.recover if over else fault.inject)(cluster, scheduled)
        lasted[scheduled.key] = (begin, time.monotonic())
    cluster.restart_ended()
    cluster.await_submitted()
    return lasted


def _await(late: list[str], look: Any, seconds: float) -> None:
    """Wait until `look` returns nothing; what it still returns after the time-out is added to `late`."""
    left: list[str] = []

    def over() -> bool:
        left[:] = look()
        return not left

    try:
        until(over, seconds, lambda: "")
    except TimeoutError:
        late.extend(f"after {seconds:.0f} s: {each}" for each in left)


def _ends(cluster: ChaosCluster, made: Sequence[Workload]) -> list[str]:
    cluster.restart_ended()
    waiting = []
    for each in made:
        found = cluster.kube.find(each.kind, cluster.namespace_of_run, each.name) or {}
        if phase(found) not in FINAL:
            waiting.append(f"{each.kind.kind} {each.name} is {phase(found) or 'nowhere'}: {_where(found)}")
    return waiting


def _where(found: Body) -> str:
    status = found.get("status") or {}
    steps = [{key: each.get(key) for key in ("name", "phase", "reason", "message")} for each in status.get("steps", [])]
    return str([each for each in steps if each["phase"] not in ("Completed", "Skipped")] or status)[:600]


def _is_quiet(cluster: ChaosCluster, made: Sequence[Workload], quiet: list[MemorySample]) -> list[str]:
    """What is missing until all processes answer, no key waits and Jobs not to be kept are gone. Fills `quiet`."""
    cluster.restart_ended()
    samples = quiet[:] = cluster.samples()
    noisy = [
        f"{each.name} has {each.waiting} waiting keys and {each.active} active workers" for each in samples if each.busy
    ]
    if len(samples) < len(("first", "second", "webhook")):
        noisy.append(f"only {[each.name for each in samples]} answer")
    if not any(each.leads for each in samples):
        noisy.append("no controller leads")
    kept = {job for each in made for job in each.kept}
    jobs = {job["metadata"]["name"] for job in cluster.kube.list(JOB, cluster.namespace_of_run)}
    return noisy + [f"Job {job} is still there" for job in sorted(jobs - kept)]


def _look(
    cluster: ChaosCluster, recorder: PhaseRecorder, made: Sequence[Workload], late: list[str], marks: dict[str, int]
) -> RunObservation:
    namespace = cluster.namespace_of_run
    left = [body | {"kind": kind.kind} for kind in LOOKED_AT for body in cluster.kube.list(kind, namespace)]
    recorder.catch_up([body for body in left if body["kind"] == "Job"])
    ends = {body["metadata"]["name"]: body for body in left if body["kind"] in ("JobFlow", "Job")}
    faults = [text for name, mark in marks.items() for text in _own_faults(cluster, name, mark)]
    changes = tuple(recorder.changes.get(namespace, ()))
    return RunObservation(
        made,
        ends,
        left,
        changes,
        late=late,
        faults=faults,
        exceeded=tuple(recorder.pods.exceeded.get(namespace, ())),
        admissions=tuple(recorder.pods.admissions.get(namespace, {}).values()),
        shown=dict(recorder.statuses.shown.get(namespace, {})),
    )


def _own_faults(cluster: ChaosCluster, name: str, mark: int) -> list[str]:
    with cluster.processes[name].log.open("rb") as log:
        log.seek(mark)
        lines = log.read().decode(errors="replace").splitlines()
    return [f"{name}: {line[:1500]}" for line in lines if any(fault in line for fault in OWN_FAULTS)]


def _are_gone(cluster: ChaosCluster, names: Sequence[str]) -> list[str]:
    cluster.restart_ended()
    return [f"Namespace {name} does not go away" for name in names if cluster.kube.find(NAMESPACE, "", name)]
