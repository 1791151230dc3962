"""Flows that are both simulated and run: what their Jobs do is said once, as a scenario, for both."""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jobflow import Approve, Flow, Job, SubFlow, Switch, attempt, index, item, last
from jobflow.flow_builder import FlowBuilder
from shared.model.types import Body

SPEED: Final = 20.0
"""Of the cluster's nodes: pods run so many times faster than clocks, and the times below are those of clocks."""
SECONDS: Final = 0.4


@dataclass(frozen=True)
class FlowCase:
    """`build` makes the steps in the flow's `with` block."""

    build: Callable[[Flow], object]
    flow: Mapping[str, Any] = field(default_factory=dict)
    fail: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    durations: Mapping[str, float] = field(default_factory=dict)
    approvals: Mapping[str, str] = field(default_factory=dict)

    def make(self, name: str) -> Flow:
        with Flow(name, **self.flow) as flow:
            self.build(flow)
        return flow


def job(name: str, *outputs: str) -> Job:
    return Job(name, image="busybox:1.36", command=["work"], outputs=outputs, cpu="100m")


def jobs(names: str) -> list[Job]:
    return [job(name) for name in names.split()]


def behaving(case: FlowCase, flow: Flow) -> Iterator[Body]:
    """The JobTemplates of the flow, whose simulated pods do what the scenario says, then the JobFlow."""
    paths = _paths(flow)
    *templates, last = (each.body for each in flow.manifests())
    for body in templates:
        rules = [rule for path in paths[body["metadata"]["name"]] for rule in _rules(case, flow.name, path)]
        pod = body["spec"]["tasks"][0]["template"]
        annotations = {"jobflow.dev/behave": json.dumps(rules)}
        made = {**pod, "metadata": {**pod.get("metadata", {}), "annotations": annotations}}
        yield {**body, "spec": {**body["spec"], "tasks": [{**body["spec"]["tasks"][0], "template": made}]}}
    yield last


def _paths(flow: FlowBuilder, prefix: str = "") -> dict[str, list[str]]:
    """The steps that use each JobTemplate, as a scenario names them."""
    found: dict[str, list[str]] = {}
    for step in flow.steps.values():
        if isinstance(step, SubFlow) and isinstance(step.inner, FlowBuilder):
            for name, paths in _paths(step.inner, f"{prefix}{step.name}/").items():
                found.setdefault(name, []).extend(paths)
        elif isinstance(step, Job):
            found.setdefault(f"{flow.name}-{step.name}", []).append(f"{prefix}{step.name}")
    return found


def _rules(case: FlowCase, flow: str, path: str) -> Iterator[dict[str, Any]]:
    """The node takes the first rule whose pattern is found in the pod's name: the most specific come first."""
    selectors = [each for given in (case.fail, case.outputs, case.durations) for each in given]
    mine = [each for each in dict.fromkeys(selectors) if re.sub(r"\[\d+\]|:\d+", "", each) == path]
    for selector in sorted({*mine, path}, key=lambda each: (-each.count("["), -each.count(":"))):
        yield {"pod": _pattern(flow, selector), **_behaviour(case, selector, path)}


def _pattern(flow: str, selector: str) -> str:
    return f"^{flow}-{'-'.join(map(_names, selector.split('/')))}-main-0$"


def _names(part: str) -> str:
    """What a Job or a flow of the step is called, in the name of what is below it."""
    found = re.fullmatch(r"([^\[:]+)(?:\[(\d+)\])?(?::(\d+))?", part)
    assert found is not None
    step, place, number = found.groups()
    index_part = rf"-{place}" if place else r"(-\d+)?"
    attempts = r"(-r\d+)?" if number is None else "" if number == "1" else rf"-r{int(number) - 1}"
    return f"{step}{index_part}{attempts}"


def _behaviour(case: FlowCase, selector: str, path: str) -> dict[str, Any]:
    """What holds for the selector, or for the whole step where the selector does not say it."""
    seconds = case.durations.get(selector, case.durations.get(path, SECONDS))
    code = case.fail.get(selector, case.fail.get(path, 0))
    outputs = {**case.outputs.get(path, {}), **case.outputs.get(selector, {})}
    return {"runSeconds": seconds * SPEED, "exitCode": code, "terminationMessage": json.dumps(outputs)}


# --- the flows -----------------------------------------------------------------------------------------------------


def chain(names: str = "a b c") -> list[Job]:
    made = jobs(names)
    for one, other in itertools.pairwise(made):
        one >> other
    return made


def diamond() -> list[Job]:
    a, b, c, d = jobs("a b c d")
    a >> [b, c] >> d
    return [a, b, c, d]


def after(on: str, *, any: bool = False) -> Callable[[Flow], object]:
    def build(flow: Flow) -> None:
        a, b, c = jobs("a b c")
        c.after(a, b, on=on, any=any)  # type-checked where users write it

    return build


def switched(flow: Flow) -> None:
    grade, a, b, c, joined = job("grade", "g"), *jobs("a b c joined")
    route = Switch("route", grade.outputs["g"], {("A", "B"): a, "C": [b, c]}, default=())
    grade >> route
    [a, b, c] >> joined


def switched_default(flow: Flow) -> None:
    grade, a, other = job("grade", "g"), *jobs("a other")
    grade >> Switch("route", grade.outputs["g"], {"A": a}, default=other)


def condition(flow: Flow) -> None:
    a, b, c = job("a", "rows"), *jobs("b c")
    b.when(a.outputs["rows"].as_int() > 100)
    a >> b >> c


def exit_code(flow: Flow) -> None:
    a, b = jobs("a b")
    b.after(a, on="Ended").when(a.exit_code == 3)


def looped(*over: Any, after_it: bool = True, **options: Any) -> Callable[[Flow], object]:
    def build(flow: Flow) -> None:
        a = job("a").loop(*over, **options)
        if after_it:
            a >> job("b")

    return build


def listed(flow: Flow) -> None:
    a, b = job("a", "files"), job("b")
    a >> b.loop(a.outputs["files"].as_list(), parallelism=1)


def converging(flow: Flow) -> None:
    a = job("a", "loss")
    a.loop(while_=(index == 0) | (last.outputs["loss"].as_float() > 0.2), max_iterations=5)
    b = job("b").when(a.outputs["loss"].as_float() <= 0.2)
    a >> b


def iterations_read(flow: Flow) -> None:
    a = job("a").loop(["x", "y"])
    a >> job("b").when(a.iterations.any(lambda each: each.exit_code == 4)).after(a, on="Ended")


def retried(limit: int, after_it: bool = True, **options: Any) -> Callable[[Flow], object]:
    def build(flow: Flow) -> None:
        a = job("a").retry(limit, backoff="1s", **options)
        if after_it:
            a >> job("b")

    return build


def retried_loop(flow: Flow) -> None:
    job("a").loop(["x", "y"]).retry(1, backoff="1s") >> job("b")


def tolerant(flow: Flow) -> None:
    a, b = jobs("a b")
    a.allow_failure() >> b


def with_finally(flow: Flow) -> None:
    chain("a b")
    job("tidy").finally_()


def alarms(flow: Flow) -> None:
    from jobflow import this

    a = job("a")
    job("alarm").finally_().when((this.outcome == "Failed") & (a.exit_code == 7))
    job("praise").finally_().when(this.outcome == "Succeed")


def served(flow: Flow) -> None:
    server, client = jobs("server client")
    server.daemon() >> client.after(server, probe={"taskStatusList": [{"taskName": "main", "phase": "Running"}]})


def limited(flow: Flow) -> None:
    a, b = jobs("a b")
    a.deadline(1) >> b


def wide(flow: Flow) -> None:
    jobs("a b c d e")


def on_failure(flow: Flow) -> None:
    a, b, c, d = jobs("a b c d")
    b.after(a)
    c.after(a, on="Failed")
    d.after(b, c, on="Ended")


def mixed(flow: Flow) -> None:
    prepare, evaluate, ship, tell = job("prepare", "rows"), job("evaluate", "grade"), *jobs("ship tell")
    sweep = job("sweep").loop({"lr": [1, 2], "size": ["s", "l"]}, parallelism=2, tolerate=1).retry(1, backoff="1s")
    route = Switch("route", evaluate.outputs["grade"], {"A": ship}, default=tell)
    prepare >> sweep >> evaluate >> route
    ship.when(prepare.outputs["rows"].as_int() > 10)
    job("tidy").finally_()


def inner(flow: Flow, names: str = "a b", **options: Any) -> Flow:
    """A chain, as the flow of a step."""
    with Flow(f"{flow.name}-inner", **options) as made:
        chain(names)
    return made


def below(names: str = "a b", **options: Any) -> Callable[[Flow], object]:
    def build(flow: Flow) -> None:
        sub = SubFlow("sub", inner(flow, names, **options))
        sub >> job("after")

    return build


def below_retried(flow: Flow) -> None:
    SubFlow("sub", inner(flow)).retry(1, backoff="1s") >> job("after")


def below_looped(**options: Any) -> Callable[[Flow], object]:
    def build(flow: Flow) -> None:
        SubFlow("sub", inner(flow)).loop(["x", "y"], **options) >> job("after")

    return build


def below_counted(flow: Flow) -> None:
    with Flow(f"{flow.name}-inner") as made:
        count = job("count", "rows")
    made.output("rows", count.outputs["rows"])
    sub, use = SubFlow("sub", made, outputs=["rows"]), job("use")
    sub >> use.when(sub.outputs["rows"].as_int() > 10)


def below_twice(flow: Flow) -> None:
    with Flow(f"{flow.name}-middle") as middle:
        a = job("a")
        a >> SubFlow("deep", inner(flow))
    SubFlow("sub", middle) >> job("after")


def below_cleaned(flow: Flow) -> None:
    with Flow(f"{flow.name}-inner") as made:
        chain("a b")
        job("tidy").finally_()
    SubFlow("sub", made) >> job("after")


def below_limited(flow: Flow) -> None:
    with Flow(f"{flow.name}-inner") as made:
        chain("a b")
        job("tidy").finally_()
    SubFlow("sub", made).deadline(20) >> job("after")


def below_beside(flow: Flow) -> None:
    SubFlow("sub", inner(flow))
    job("beside")


def below_tolerated(flow: Flow) -> None:
    sub = SubFlow("sub", inner(flow))
    job("after").after(sub, on="Ended")
    job("alarm").after(sub, on="Failed")


def below_switched(flow: Flow) -> None:
    grade, other = job("grade", "g"), job("other")
    sub = SubFlow("sub", inner(flow))
    grade >> Switch("route", grade.outputs["g"], {"A": sub}, default=other)


def below_mixed(flow: Flow) -> None:
    with Flow(f"{flow.name}-inner", failure="Continue") as made:
        a = job("a").loop(["x", "y"], tolerate=1)
        b = job("b").retry(1, backoff="1s")
        a >> b
        job("alone")
    SubFlow("sub", made) >> job("after")


def approved(**options: Any) -> Callable[[Flow], object]:
    def build(flow: Flow) -> None:
        build_, release, ship = job("build"), Approve("release", "ship it?", **options), job("ship")
        build_ >> release >> ship
        job("tidy").finally_()

    return build


def approval_tolerated(flow: Flow) -> None:
    release = Approve("release").allow_failure()
    job("build") >> release >> job("ship")


def approval_conditional(flow: Flow) -> None:
    check, release = job("check", "risk"), Approve("release")
    check >> release.when(check.outputs["risk"].as_int() > 3)
    job("ship").after(release, on="Ended")


def approval_beside(flow: Flow) -> None:
    Approve("release") >> job("ship")
    job("broken")


def approval_below(flow: Flow) -> None:
    with Flow(f"{flow.name}-inner") as made:
        job("a") >> Approve("release") >> job("b")
    SubFlow("sub", made) >> job("after")


SLOW_A: Final = {"a": 1.2}
CASES: Final[dict[str, FlowCase]] = {
    "chain": FlowCase(lambda flow: chain()),
    "chain-first-fails": FlowCase(lambda flow: chain(), fail={"a": 1}),
    "chain-second-fails": FlowCase(lambda flow: chain(), fail={"b": 2}),
    "chain-of-eight": FlowCase(lambda flow: chain("a b c d e f g h")),
    "diamond": FlowCase(lambda flow: diamond(), durations={"b": 0.9}),
    "diamond-branch-fails": FlowCase(lambda flow: diamond(), fail={"b": 1}, durations={"c": 1.2}),
    "diamond-continue": FlowCase(lambda flow: diamond(), {"failure": "Continue"}, fail={"b": 1}, durations={"c": 1.2}),
    "diamond-fail-fast": FlowCase(lambda flow: diamond(), {"failure": "FailFast"}, fail={"b": 1}, durations={"c": 6}),
    "after-ended": FlowCase(after("Ended"), fail={"a": 1}),
    "after-failed": FlowCase(after("Failed"), fail={"a": 1}),
    "after-failed-none": FlowCase(after("Failed")),
    "after-any": FlowCase(after("Completed", any=True), durations={"b": 1.5}),
    "after-any-one-fails": FlowCase(
        after("Completed", any=True), {"failure": "Continue"}, fail={"a": 1}, durations={"b": 1.2}
    ),
    "after-any-both-fail": FlowCase(after("Completed", any=True), {"failure": "Continue"}, fail={"a": 1, "b": 1}),
    "after-any-failed": FlowCase(after("Failed", any=True), fail={"b": 1}, durations=SLOW_A),
    "after-any-ended": FlowCase(after("Ended", any=True), fail={"b": 1}, durations=SLOW_A),
    "on-failure-fails": FlowCase(on_failure, fail={"a": 1}),
    "on-failure-succeeds": FlowCase(on_failure),
    "condition-true": FlowCase(condition, outputs={"a": {"rows": "200"}}),
    "condition-false": FlowCase(condition, outputs={"a": {"rows": "20"}}),
    "condition-invalid": FlowCase(condition, outputs={"a": {"rows": "many"}}),
    "condition-of-failed": FlowCase(condition, outputs={"a": {"rows": "200"}}, fail={"a": 1}),
    "exit-code-matches": FlowCase(exit_code, fail={"a": 3}),
    "exit-code-differs": FlowCase(exit_code, {"failure": "Continue"}, fail={"a": 4}),
    "switch-first": FlowCase(switched, outputs={"grade": {"g": "B"}}),
    "switch-second": FlowCase(switched, outputs={"grade": {"g": "C"}}),
    "switch-none": FlowCase(switched, outputs={"grade": {"g": "Z"}}),
    "switch-default": FlowCase(switched_default, outputs={"grade": {"g": "Z"}}),
    "switch-case": FlowCase(switched_default, outputs={"grade": {"g": "A"}}),
    "switch-upstream-fails": FlowCase(switched, outputs={"grade": {"g": "B"}}, fail={"grade": 1}),
    "items": FlowCase(looped(["x", "y", "z"])),
    "items-one-by-one": FlowCase(looped(["x", "y", "z"], parallelism=1)),
    "items-one-fails": FlowCase(looped(["x", "y", "z"]), fail={"a[1]": 5}, durations={"a[0]": 0.9, "a[2]": 0.9}),
    "items-one-by-one-fails": FlowCase(looped(["x", "y", "z"], parallelism=1), fail={"a[1]": 5}),
    "items-tolerated": FlowCase(looped(["x", "y", "z"], tolerate=1), fail={"a[1]": 5}),
    "items-tolerated-share": FlowCase(looped(["x", "y", "z", "w"], tolerate="50%"), fail={"a[1]": 5, "a[2]": 1}),
    "items-fail-fast": FlowCase(looped(["x", "y"], fail_fast=True), fail={"a[0]": 1}, durations={"a[1]": 6}),
    "items-skipped": FlowCase(looped(["x", "y", "z"], when=item != "y")),
    "items-all-skipped": FlowCase(looped(["x", "y"], when=item == "w")),
    "no-items": FlowCase(listed, outputs={"a": {"files": "[]"}}),
    "matrix": FlowCase(looped({"lr": [1, 2], "size": ["s", "l"]}, parallelism=2)),
    "range": FlowCase(looped(range(2, 8, 3))),
    "found-items": FlowCase(listed, outputs={"a": {"files": '["x", "y"]'}}),
    "found-no-list": FlowCase(listed, outputs={"a": {"files": '{"x": 1}'}}),
    "while-twice": FlowCase(converging, outputs={"a": {"loss": "0.9"}, "a[1]": {"loss": "0.1"}}),
    "while-for-ever": FlowCase(converging, outputs={"a": {"loss": "0.9"}}),
    "while-fails": FlowCase(converging, outputs={"a": {"loss": "0.9"}}, fail={"a[1]": 1}),
    "iterations-read": FlowCase(iterations_read, {"failure": "Continue"}, fail={"a[1]": 4}),
    "iterations-read-not": FlowCase(iterations_read, {"failure": "Continue"}, fail={"a[1]": 5}),
    "retry-once": FlowCase(retried(2), fail={"a:1": 1}),
    "retry-all-used": FlowCase(retried(1), fail={"a": 1}),
    "retry-last": FlowCase(retried(2), fail={"a:1": 1, "a:2": 2}),
    "retry-refused": FlowCase(retried(2, when=attempt.exit_code != 3), fail={"a": 3}),
    "retry-until-refused": FlowCase(retried(3, when=attempt.exit_code != 3), fail={"a:1": 1, "a:2": 3}),
    "retry-by-number": FlowCase(retried(5, when=attempt.number < 1), fail={"a": 1}),
    "retry-of-items": FlowCase(retried_loop, fail={"a[1]:1": 1}),
    "retry-of-items-used": FlowCase(retried_loop, fail={"a[1]": 1}),
    "retry-of-the-flow": FlowCase(lambda flow: (chain(), flow.retry(1, backoff="1s")), fail={"b:1": 1}),
    "allowed-failure": FlowCase(tolerant, fail={"a": 1}),
    "finally": FlowCase(with_finally),
    "finally-after-failure": FlowCase(with_finally, fail={"a": 1}),
    "finally-fails": FlowCase(with_finally, fail={"tidy": 1}),
    "alarm": FlowCase(alarms, fail={"a": 7}),
    "praise": FlowCase(alarms),
    "daemon": FlowCase(served, durations={"client": 0.8}),
    "daemon-client-fails": FlowCase(served, fail={"client": 1}),
    "step-deadline": FlowCase(limited, durations={"a": 8}),
    "flow-deadline": FlowCase(lambda flow: chain(), {"deadline": 20}, durations={"b": 60}),
    "parallelism": FlowCase(wide, {"parallelism": 2}),
    "jobs-deleted": FlowCase(lambda flow: chain(), {"retain": "delete"}),
    "sub-flow": FlowCase(below()),
    "sub-flow-fails": FlowCase(below(), fail={"sub/b": 3}),
    "sub-flow-continues": FlowCase(below_beside, {"failure": "Continue"}, fail={"sub/a": 1}, durations={"beside": 1.2}),
    "sub-flow-retried": FlowCase(below_retried, fail={"sub:1/b": 1}),
    "sub-flow-retries-used": FlowCase(below_retried, fail={"sub/a": 1}),
    "sub-flow-items": FlowCase(below_looped()),
    "sub-flow-items-one-fails": FlowCase(below_looped(parallelism=1), fail={"sub[0]/b": 1}),
    "sub-flow-items-tolerated": FlowCase(below_looped(tolerate=1), fail={"sub[1]/b": 1}, durations={"sub[0]/b": 1.2}),
    "sub-flow-output-high": FlowCase(below_counted, outputs={"sub/count": {"rows": "12"}}),
    "sub-flow-output-low": FlowCase(below_counted, outputs={"sub/count": {"rows": "2"}}),
    "sub-flow-of-sub-flow": FlowCase(below_twice),
    "sub-flow-of-sub-flow-fails": FlowCase(below_twice, fail={"sub/deep/b": 1}),
    "sub-flow-cleans-up": FlowCase(below_cleaned, fail={"sub/a": 1}),
    "sub-flow-deadline": FlowCase(below_limited, durations={"sub/b": 60}),
    "sub-flow-own-deadline": FlowCase(below(deadline=20), durations={"sub/a": 60}),
    "sub-flow-fail-fast": FlowCase(
        below_beside, {"failure": "FailFast"}, fail={"beside": 1}, durations={"sub/a": 60, "beside": 12}
    ),
    "sub-flow-flow-deadline": FlowCase(below(), {"deadline": 20}, durations={"sub/a": 60}),
    "sub-flow-on-failure": FlowCase(below_tolerated, fail={"sub/a": 1}),
    "sub-flow-chosen": FlowCase(below_switched, outputs={"grade": {"g": "A"}}),
    "sub-flow-not-chosen": FlowCase(below_switched, outputs={"grade": {"g": "B"}}),
    "sub-flow-mixed": FlowCase(
        below_mixed, fail={"sub/a[1]": 1, "sub/b:1": 1}, durations={"sub/a[0]": 0.9, "sub/alone": 4}
    ),
    "approved": FlowCase(approved()),
    "approved-in-time": FlowCase(approved(timeout="1h")),
    "rejected": FlowCase(approved(), approvals={"release": "rejected"}),
    "nobody-answers": FlowCase(approved(timeout="2s"), approvals={"release": "timeout"}),
    "approved-after-the-timeout": FlowCase(
        approved(timeout="2s", on_timeout="Approve"), approvals={"release": "timeout"}
    ),
    "rejection-tolerated": FlowCase(approval_tolerated, approvals={"release": "rejected"}),
    "approval-asked": FlowCase(approval_conditional, outputs={"check": {"risk": "5"}}),
    "approval-not-asked": FlowCase(approval_conditional, outputs={"check": {"risk": "1"}}),
    "approval-ended-by-a-failure": FlowCase(
        approval_beside, fail={"broken": 1}, durations={"broken": 12, "release": 60}
    ),
    "approval-of-a-sub-flow": FlowCase(approval_below),
    "rejection-of-a-sub-flow": FlowCase(approval_below, approvals={"sub/release": "rejected"}),
    "mixed": FlowCase(
        mixed,
        {"failure": "Continue"},
        fail={"sweep[1]:1": 1, "sweep[2]": 1},
        outputs={"prepare": {"rows": "20"}, "evaluate": {"grade": "A"}},
    ),
    "mixed-small": FlowCase(
        mixed, fail={"sweep[3]": 1}, outputs={"prepare": {"rows": "2"}, "evaluate": {"grade": "A"}}
    ),
}
