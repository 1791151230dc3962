"""Cases of steps that run flows."""

from collections.abc import Callable
from typing import Any, Final

from jobflow import Flow, SubFlow, Switch
from tests.e2e.support.simulated.case import FlowCase, job
from tests.e2e.support.simulated.steps import chain


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


SUB_FLOWS: Final[dict[str, FlowCase]] = {
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
}
