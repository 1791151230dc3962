"""One run: flows are applied, harms done at their times and mended, the ends awaited, and all of it judged."""

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
from tests.chaos import plan as plans
from tests.chaos import verdicts
from tests.chaos.faults import HARMS
from tests.chaos.faults.fault import HARMED
from tests.chaos.plan import ChaosPlan
from tests.chaos.verdicts import RunObservation
from tests.chaos.witness import PhaseRecorder
from tests.chaos.workloads import FINAL, WORKLOADS, Workload
from tests.chaos.world import ChaosCluster, MemorySample
from tests.e2e.support.scenario import phase

# Only a run that goes wrong waits so long: on a starved machine a process alone takes half a minute to start.
END_SECONDS: Final = 150.0
QUIET_SECONDS: Final = 120.0
GONE_SECONDS: Final = 120.0
LOOKED_AT: Final = (JOBFLOW, JOBTEMPLATE, JOB, POD, PODGROUP, SERVICE, CONFIGMAP, SECRET)
OWN_FAULTS: Final = ("stopped by a fault", "Traceback (most recent call last)")
LOG_LENGTH: Final = 20_000
_NUMBERS: Final = itertools.count()


@dataclass(frozen=True)
class RunResult:
    """`struck`: how often each harm did its harm, by its key; `phases`: seconds by what they were spent on; `restarts`:
    processes started again; `words`: the last of the logs, where there are complaints."""

    plan: ChaosPlan
    complaints: Sequence[str]
    seconds: float
    samples: Sequence[MemorySample] = ()
    struck: Mapping[str, int] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    restarts: int = 0
    words: str = field(default="", repr=False)


def tried(world: ChaosCluster, witness: PhaseRecorder, plan: ChaosPlan) -> RunResult:
    """`run`; what breaks the run itself is a complaint too."""
    try:
        return run(world, witness, plan)
    except Exception:  # noqa: BLE001 - of any kind: the other seeds go on
        return RunResult(plan, [f"the run broke: {traceback.format_exc()}"], 0.0)


def run(world: ChaosCluster, witness: PhaseRecorder, plan: ChaosPlan) -> RunResult:
    """Raises nothing that a harm can cause: what goes wrong becomes a complaint."""
    watch = Stopwatch()
    world.namespace_of_run = namespace = f"chaos-{plan.seed}-{next(_NUMBERS)}"
    world.doomed.clear()
    before = world.restarts
    marks = {name: world.processes[name].log.stat().st_size for name in ("first", "second", "webhook")}
    world.seed(plan.seed)
    world.kube.apply(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    made = [_made(name, namespace, plan.seed, number) for number, name in enumerate(plan.workloads)]
    late: list[str] = []
    quiet: list[MemorySample] = []
    _harm(world, plan, made)
    watch.note("harms")
    _await(late, lambda: _ends(world, made), END_SECONDS)
    watch.note("ends")
    _await(late, lambda: _is_quiet(world, made, quiet), QUIET_SECONDS)
    watch.note("quiet")
    seen = replace(_look(world, witness, made, late, marks), samples=tuple(quiet))
    world.kube.delete(NAMESPACE, "", namespace)
    _await(late, lambda: _are_gone(world, [namespace, *world.doomed.values()]), GONE_SECONDS)
    watch.note("gone")
    witness.forget(namespace)
    complaints = verdicts.judge(seen)
    words = "" if not complaints else _words(world, seen)
    struck, restarts = dict(world.struck), world.restarts - before
    return RunResult(plan, complaints, sum(watch.spent.values()), seen.samples, struck, watch.spent, restarts, words)


class Stopwatch:
    """`spent`: seconds by phase."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._last = time.monotonic()

    def note(self, phase: str) -> None:
        now = time.monotonic()
        self.spent[phase] = now - self._last
        self._last = now


def _words(world: ChaosCluster, seen: RunObservation) -> str:
    """What may explain a complaint: every object's status in a line, and the ends of the logs."""
    objects = [
        f"{body['kind']} {body['metadata']['name']} {body['metadata'].get('deletionTimestamp', '')} {body.get('status')}"
        for body in seen.left
        if body["kind"] in ("JobFlow", "Job", "PodGroup", "Pod")
    ]
    logs = [f"--- {name}\n{world.logs(name, LOG_LENGTH)}" for name in (*HARMED, "nodes", "apiserver")]
    return "\n".join([*(each[:700] for each in objects), *logs])


def _made(name: str, namespace: str, seed: int, number: int) -> Workload:
    return WORKLOADS[name](namespace, f"{name}-{number}", Random(f"{name} {seed}"))


def _harm(world: ChaosCluster, plan: ChaosPlan, made: Sequence[Workload]) -> None:
    start = time.monotonic()
    for at, each in zip(plans.arrivals(plan), made, strict=True):
        world.submit_at(start + at, each.objects)
    for at, over, strike in plans.moments(plan):
        time.sleep(max(0.0, start + at - time.monotonic()))
        harm = HARMS[strike.harm]
        (harm.mend if over else harm.inflict)(world, strike)
    world.tend()
    world.await_submitted()


def _await(late: list[str], look: Any, seconds: float) -> None:
    """Until `look` finds nothing to wait for any more; what is left then is a complaint."""
    left: list[str] = []

    def over() -> bool:
        left[:] = look()
        return not left

    try:
        until(over, seconds, lambda: "")
    except TimeoutError:
        late.extend(f"after {seconds:.0f} s: {each}" for each in left)


def _ends(world: ChaosCluster, made: Sequence[Workload]) -> list[str]:
    world.tend()
    waiting = []
    for each in made:
        found = world.kube.find(each.kind, world.namespace_of_run, each.name) or {}
        if phase(found) not in FINAL:
            waiting.append(f"{each.kind.kind} {each.name} is {phase(found) or 'nowhere'}: {_where(found)}")
    return waiting


def _where(found: Body) -> str:
    status = found.get("status") or {}
    steps = [{key: each.get(key) for key in ("name", "phase", "reason", "message")} for each in status.get("steps", [])]
    return str([each for each in steps if each["phase"] not in ("Completed", "Skipped")] or status)[:600]


def _is_quiet(world: ChaosCluster, made: Sequence[Workload], quiet: list[MemorySample]) -> list[str]:
    """Both controllers and the webhook answer, nothing waits, and Jobs that are not kept are gone; `quiet`: what they said."""
    world.tend()
    samples = quiet[:] = world.samples()
    noisy = [f"{each.name} has {each.waiting} keys and {each.active} in hand" for each in samples if each.busy]
    if len(samples) < len(("first", "second", "webhook")):
        noisy.append(f"only {[each.name for each in samples]} answer")
    if not any(each.leads for each in samples):
        noisy.append("no controller leads")
    kept = {job for each in made for job in each.kept}
    jobs = {job["metadata"]["name"] for job in world.kube.list(JOB, world.namespace_of_run)}
    return noisy + [f"Job {job} is still there" for job in sorted(jobs - kept)]


def _look(
    world: ChaosCluster, witness: PhaseRecorder, made: Sequence[Workload], late: list[str], marks: dict[str, int]
) -> RunObservation:
    namespace = world.namespace_of_run
    left = [body | {"kind": kind.kind} for kind in LOOKED_AT for body in world.kube.list(kind, namespace)]
    witness.catch_up([body for body in left if body["kind"] == "Job"])
    ends = {body["metadata"]["name"]: body for body in left if body["kind"] in ("JobFlow", "Job")}
    faults = [text for name, mark in marks.items() for text in _own_faults(world, name, mark)]
    moments = tuple(witness.moments.get(namespace, ()))
    return RunObservation(made, ends, left, moments, late=late, faults=faults)


def _own_faults(world: ChaosCluster, name: str, mark: int) -> list[str]:
    with world.processes[name].log.open("rb") as log:
        log.seek(mark)
        lines = log.read().decode(errors="replace").splitlines()
    return [f"{name}: {line[:1500]}" for line in lines if any(fault in line for fault in OWN_FAULTS)]


def _are_gone(world: ChaosCluster, names: Sequence[str]) -> list[str]:
    world.tend()
    return [f"Namespace {name} does not go away" for name in names if world.kube.find(NAMESPACE, "", name)]
