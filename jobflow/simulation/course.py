"""The result of a simulated flow."""

from collections.abc import Mapping

import msgspec

from jobflow.simulation.jobs import SimulatedJob
from shared.model.flow_status import JobFlowStatus


class SimulatedWait(msgspec.Struct):
    """A step that waited for a person, in seconds since the flow began; `ended` is None while it waits."""

    started: float
    ended: float | None = None


class Course(msgspec.Struct, frozen=True):
    """`jobs`: in the order in which they were created; `waits`: for people, by step; `flows`: those that steps ran, by name;
    `seconds`: from start to end; `unfinished`: why it would not end, "" if it has ended."""

    name: str
    status: JobFlowStatus
    jobs: tuple[SimulatedJob, ...]
    waits: Mapping[str, SimulatedWait]
    flows: Mapping[str, "Course"]
    seconds: float
    unfinished: str = ""
