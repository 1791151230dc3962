"""Flows and Jobs whose end is known beforehand, whatever faults are injected."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from shared.kinds import JOB, JOBFLOW, Kind
from shared.model.types import Body
from tests.e2e.support import scenario
from tests.e2e.support.scenario import targets

COMPLETED: Final = ("Completed",)
FAILED: Final = ("Failed",)
ENDED: Final = ("Completed", "Failed", "Terminated")
LASTING: Final = "lasting"
"""Name of the workload whose status is looked at for long."""
EVICTED: Final = "evicted"
"""Name of the workload whose pods may be evicted."""
FINAL: Final = (*ENDED, "Succeed", "Aborted")


@dataclass(frozen=True)
class After:
    """`job` may be created only once `before` was in one of `phases`; no phases: once it was created."""

    job: str
    before: str
    phases: tuple[str, ...] = COMPLETED


@dataclass(frozen=True)
class Workload:
    """`objects`: to submit, in this order; the rest is what must be true at the end.

    `jobs`: those that were ever made, each once; `kept`: those that are still there; `steps`: phase of each step;
    `status`: further fields of the main object's status.
    """

    kind: Kind
    name: str
    objects: tuple[Body, ...]
    phase: str
    jobs: frozenset[str]
    kept: frozenset[str]
    steps: Mapping[str, str]
    order: tuple[After, ...] = ()
    status: Mapping[str, Any] | None = None
    most: int = 0  # Jobs at once; 0: any number


Build = Callable[[str, str, Random], Workload]  # namespace, name, chance


class _Kit:
    """Makes templates and flows of one name in one namespace."""

    def __init__(self, namespace: str, name: str, chance: Random) -> None:
        self.namespace, self.name, self.chance = namespace, name, chance
        self.templates: dict[str, Body] = {}

    def template(
        self, step: str, code: int = 0, replicas: int = 1, seconds: float | None = None, **annotations: str
    ) -> str:
        name = f"{self.name}-{step}"
        seconds = self.chance.choice((0.2, 1, 4, 12)) if seconds is None else seconds
        self.templates[name] = scenario.template(self.namespace, name, seconds, code, replicas, annotations)
        return name

    def job(self, step: str) -> str:
        return f"{self.name}-{step}"

    def flow(
        self,
        steps: Mapping[str, Body],
        wanted: Mapping[str, str],
        jobs: Sequence[str],
        order: Sequence[After] = (),
        phase: str = "Succeed",
        most: int = 0,
        **spec: Any,
    ) -> Workload:
        body = scenario.jobflow(self.namespace, self.name, dict(steps), **spec)
        made = frozenset(self.job(each) for each in jobs)
        kept = frozenset() if spec.get("jobRetainPolicy") == "delete" else made
        named = tuple(After(self.job(each.job), self.job(each.before), each.phases) for each in order)
        objects = (*self.templates.values(), body)
        return Workload(JOBFLOW, self.name, objects, phase, made, kept, wanted, named, most=most)


def _graph(kit: _Kit, graph: Mapping[str, Sequence[str]], **spec: Any) -> Workload:
    steps = {
        step: {"template": kit.template(step, replicas=kit.chance.randint(1, 3))} | targets(*before)
        for step, before in graph.items()
    }
    order = [After(step, each) for step, before in graph.items() for each in before]
    return kit.flow(steps, dict.fromkeys(graph, "Completed"), list(graph), order, **spec)


def diamond(namespace: str, name: str, chance: Random) -> Workload:
    graph = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ("d",), "f": ("e",)}
    return _graph(_Kit(namespace, name, chance), graph)


def graph(namespace: str, name: str, chance: Random) -> Workload:
    """Any graph, at most so many Jobs at once, whose Jobs are removed or kept."""
    made: dict[str, tuple[str, ...]] = {}
    for number in range(chance.randint(4, 10)):
        made[f"s{number}"] = tuple(sorted(chance.sample(sorted(made), min(len(made), chance.randint(0, 3)))))
    spec = {"jobRetainPolicy": chance.choice(("retain", "delete")), "parallelism": chance.choice((0, 2))}
    return _graph(_Kit(namespace, name, chance), made, most=spec["parallelism"], **spec)


def lasting(namespace: str, name: str, chance: Random) -> Workload:
    """Steps that end one after another while the flow runs for some ten real seconds, so that a late status is noticed."""
    kit = _Kit(namespace, name, chance)
    lasts = {f"s{number}": chance.uniform(1, 200) for number in range(6)} | {"long": 360.0}
    steps = {step: {"template": kit.template(step, seconds=seconds)} for step, seconds in lasts.items()}
    return kit.flow(steps, dict.fromkeys(steps, "Completed"), list(steps))


def loop(namespace: str, name: str, chance: Random) -> Workload:
    """A loop, some iterations at once, and a step after it."""
    kit, count = _Kit(namespace, name, chance), chance.randint(3, 6)
    at_once = chance.choice((1, 2))
    turns = [f"each-{index}" for index in range(count)]
    steps = {
        "each": {"template": kit.template("each"), "for": {"range": {"end": count}, "parallelism": at_once}},
        "end": {"template": kit.template("end")} | targets("each"),
    }
    order = [After("end", turn) for turn in turns]
    wanted = {"each": "Completed", "end": "Completed"}
    return kit.flow(steps, wanted, [*turns, "end"], order, most=at_once)


def bounded(namespace: str, name: str, chance: Random) -> Workload:
    """A loop of gangs in a queue that has room for one or two of them."""
    kit, count, replicas = _Kit(namespace, name, chance), chance.randint(3, 5), chance.randint(1, 2)
    template = kit.template("each", replicas=replicas)
    spec = kit.templates[template]["spec"]
    spec["queue"] = "bounded"
    spec["tasks"][0]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    steps = {"each": {"template": template, "for": {"range": {"end": count}}}}
    return kit.flow(steps, {"each": "Completed"}, [f"each-{index}" for index in range(count)])


def while_loop(namespace: str, name: str, chance: Random) -> Workload:
    """Iterations strictly one after the other, each decided by the outputs of the one before."""
    kit, count = _Kit(namespace, name, chance), chance.randint(2, 4)
    template = kit.template("search", termination_message='{"best": 7}')
    turns = [f"search-{index}" for index in range(count)]
    source = {"while": f'index < {count} && last.phase != "Failed"', "maxIterations": 10}
    steps = {"search": {"template": template, "for": source, "outputs": [{"name": "best", "key": "best"}]}}
    order = [After(later, earlier) for earlier, later in itertools.pairwise(turns)]
    return kit.flow(steps, {"search": "Completed"}, turns, order, most=1)


def retried(namespace: str, name: str, chance: Random) -> Workload:
    """A step that fails in every attempt, one that runs after its failure, and `finally`."""
    kit, limit = _Kit(namespace, name, chance), chance.randint(1, 2)
    tries = ["bad", *(f"bad-r{number}" for number in range(1, limit + 1))]
    retry = {"limit": limit, "backoff": {"duration": "1s", "factor": 1}}
    steps = {
        "bad": {"template": kit.template("bad", code=3), "retry": retry},
        "rescue": {"template": kit.template("rescue")} | targets("bad", condition="Failed"),
        "never": {"template": kit.template("never")} | targets("bad"),
    }
    last = [{"name": "clean", "template": kit.template("clean"), "if": 'flow.outcome == "Failed"'}]
    order = [After(later, earlier, FAILED) for earlier, later in zip(tries, [*tries[1:], "rescue"], strict=True)]
    order.append(After("clean", "rescue"))
    wanted = {"bad": "Failed", "rescue": "Completed", "never": "Skipped", "clean": "Completed"}
    made = [*tries, "rescue", "clean"]
    return kit.flow(steps, wanted, made, order, "Failed", **{"finally": last})


def switched(namespace: str, name: str, chance: Random) -> Workload:
    """A branch that an output chooses; the other is skipped, and a join runs."""
    kit, grade = _Kit(namespace, name, chance), chance.choice("AF")
    ran, skipped = ("deploy", "notify") if grade == "A" else ("notify", "deploy")
    parameters = {
        "value": "steps.rate.outputs.grade",
        "cases": [{"when": ["A"], "run": ["deploy"]}],
        "default": ["notify"],
    }
    steps = {
        "rate": {"template": kit.template("rate", termination_message=grade), "outputs": [{"name": "grade"}]},
        "route": targets("rate") | {"switch": parameters},
        "deploy": {"template": kit.template("deploy")},
        "notify": {"template": kit.template("notify")},
        "end": {"template": kit.template("end")} | targets("deploy", "notify"),
    }
    wanted = {"rate": "Completed", "route": "Completed", ran: "Completed", skipped: "Skipped", "end": "Completed"}
    return kit.flow(steps, wanted, ["rate", ran, "end"], [After(ran, "rate"), After("end", ran)])


def forgiving(namespace: str, name: str, chance: Random) -> Workload:
    """A failure that is allowed, a step that waits for any of two, and a condition that is false."""
    kit = _Kit(namespace, name, chance)
    steps = {
        "may": {"template": kit.template("may", code=1), "allowFailure": True},
        "good": {"template": kit.template("good")},
        "both": {"template": kit.template("both")} | targets("may", "good", strategy="any"),
        "no": {"template": kit.template("no"), "if": 'steps.may.phase == "Completed"'} | targets("may"),
    }
    wanted = {"may": "Failed", "good": "Completed", "both": "Completed", "no": "Skipped"}
    return kit.flow(steps, wanted, ["may", "good", "both"])


def served(namespace: str, name: str, chance: Random) -> Workload:
    """A step beside a server that runs for as long as it is needed."""
    kit = _Kit(namespace, name, chance)
    serves = kit.template("serve")
    task = kit.templates[serves]["spec"]["tasks"][0]
    task["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", "sleep 100000"]
    probe = {"taskStatusList": [{"taskName": "w", "phase": "Running"}]}
    steps = {
        "serve": {"template": serves, "daemon": True},
        "use": {"template": kit.template("use")} | targets("serve", probe=probe),
    }
    order = [After("use", "serve", ("Running",))]
    return kit.flow(steps, {"serve": "Completed", "use": "Completed"}, ["serve", "use"], order)


def _job(namespace: str, name: str, phase: str, tasks: Sequence[Body], status: Body, **spec: Any) -> Workload:
    meta = {"name": name, "namespace": namespace}
    body = {"apiVersion": JOB.api_version, "kind": "Job", "metadata": meta, "spec": {"tasks": list(tasks)} | spec}
    only = frozenset((name,))
    return Workload(JOB, name, (body,), phase, only, only, {}, status=status)


def _task(name: str, replicas: int, seconds: float, code: int = 0, **annotations: str) -> Body:
    body = scenario.template("", name, seconds, code, replicas, annotations)
    return dict(body["spec"]["tasks"][0]) | {"name": name}


def restarted(namespace: str, name: str, chance: Random) -> Workload:
    """A Job that is restarted as a whole until its retries are used up."""
    policies = [{"event": "PodFailed", "action": "RestartJob"}]
    status = {"retryCount": 2}
    task = _task("w", chance.randint(1, 3), 1, 1)
    return _job(namespace, name, "Failed", [task], status, policies=policies, maxRetry=2)


def evicted(namespace: str, name: str, chance: Random) -> Workload:
    """A Job that starts its evicted pods, or all of its pods, again."""
    action = chance.choice(("RestartJob", "RestartTask", "RestartPod"))
    policies = [{"event": "PodEvicted", "action": action}]
    task = _task("w", chance.randint(1, 3), 60)
    return _job(namespace, name, "Completed", [task], {"succeeded": task["replicas"]}, policies=policies, maxRetry=50)


def staged(namespace: str, name: str, chance: Random) -> Workload:
    """A gang whose second task waits for the first."""
    before, after = _task("before", chance.randint(1, 3), 2), _task("after", chance.randint(1, 3), 1)
    after["dependsOn"] = {"name": ["before"]}
    pods = before["replicas"] + after["replicas"]
    return _job(namespace, name, "Completed", [before, after], {"succeeded": pods})


_BUILDS: Final[tuple[Build, ...]] = (
    diamond, graph, lasting, loop, bounded, while_loop, retried, switched, forgiving, served, restarted, evicted, staged,
)  # fmt: skip
WORKLOADS: Final[dict[str, Build]] = {build.__name__.replace("_", "-"): build for build in _BUILDS}
