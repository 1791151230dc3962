"""Runs a flow, and the flows below it, on a clock that jumps from one event to the next, by the decisions of the controller."""

from typing import Final

from jobflow.simulation.course import Course
from jobflow.simulation.live_flow import LiveFlow
from jobflow.simulation.manifests import KnownTemplates
from jobflow.simulation.scenario import JobScenario
from shared.model.flow import JobFlow
from shared.model.flow_status import JobFlowStatus

START: Final = 1_767_225_600.0  # 2026-01-01T00:00:00Z; conditions do not read it
_MOST_EVENTS: Final = 1_000_000
_MOST_SECONDS: Final = 10 * 366 * 86_400.0  # nobody waits longer for a flow
_UID: Final = "simulated"


def run(flow: JobFlow, templates: KnownTemplates, scenario: JobScenario) -> Course:
    """In a cluster of its own, until the flow has ended, or nothing will ever happen again."""
    live, now = LiveFlow(flow, templates, scenario, START, _UID), START
    for _ in range(_MOST_EVENTS):
        live.settle(now)
        if live.over:
            return live.course(now)
        moment = live.next_moment()
        if moment > START + _MOST_SECONDS:
            live.write_statuses(now)
            return live.course(now, unfinished=_why(live.status))
        now = max(moment, now)
    return live.course(now, unfinished=f"it had not ended after {_MOST_EVENTS} events")


def _why(status: JobFlowStatus) -> str:
    if status.state.message:
        return status.state.message
    return status.next_summary or "nothing happens any more"
