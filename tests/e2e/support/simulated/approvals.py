"""Cases of steps that wait for a person."""

from collections.abc import Callable
from typing import Any, Final

from jobflow import Approve, Flow, SubFlow
from tests.e2e.support.simulated.case import FlowCase, job


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


APPROVALS: Final[dict[str, FlowCase]] = {
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
}
