"""A case: a flow that is both simulated and run, and the scenario that says for both what its Jobs do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jobflow import Flow, Job

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
