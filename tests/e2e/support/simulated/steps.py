"""Cases of one flow: order, conditions, switches, loops, retries, deadlines, `finally`."""

import itertools
from collections.abc import Callable
from typing import Any, Final

from jobflow import Flow, Job, Switch, attempt, index, item, last
from tests.e2e.support.simulated.case import FlowCase, job, jobs


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


SLOW_A: Final = {"a": 1.2}
STEPS: Final[dict[str, FlowCase]] = {
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
