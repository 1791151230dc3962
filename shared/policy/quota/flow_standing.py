"""Whether a stored JobFlow takes a place in a quota, waits for one, or does neither.

A suspended flow keeps its place while Jobs of it are unfinished: otherwise suspending a flow after its start would make
room for another one while its Jobs continue to use the cluster.
"""

from typing import Final

from shared.model.phases import FlowPhase
from shared.model.types import Body
from shared.names import INVALID_SPEC, QUOTA_EXCEEDED
from shared.policy.quota.standing import Standing, is_leaving
from shared.policy.raw import mapping

_ENDED: Final = (FlowPhase.SUCCEED, FlowPhase.FAILED)
_UNFINISHED: Final = ("pendingJobs", "runningJobs")


def flow_standing(flow: Body) -> Standing:
    """The standing of a stored flow by what its status says.

    Flows that are being deleted are idle, unless a finalizer of somebody keeps them and their unfinished Jobs.
    """
    status = mapping(flow.get("status"))
    state = mapping(status.get("state"))
    phase = state.get("phase")
    if flow_has_ended(flow):
        return Standing.IDLE
    if flow["metadata"].get("deletionTimestamp"):
        return Standing.HOLDS if _has_unfinished_jobs(status) else Standing.IDLE
    if state.get("reason") == QUOTA_EXCEEDED:
        return Standing.WAITS
    suspended = flow_rests(flow)
    invalid = state.get("reason") == INVALID_SPEC
    if phase == FlowPhase.SUSPENDED or invalid:
        if _has_unfinished_jobs(status):
            return Standing.HOLDS
        return Standing.IDLE if suspended or invalid else Standing.WAITS
    if phase:
        return Standing.HOLDS  # also if it is to be suspended: until that is recorded, it may create Jobs
    return Standing.IDLE if suspended else Standing.WAITS


def flow_rests(flow: Body) -> bool:
    """Whether nothing of a new flow would run: its user suspends it."""
    return mapping(flow.get("spec")).get("suspend") is True


def flow_has_ended(flow: Body) -> bool:
    """Whether a flow has ended, or is being deleted and no finalizer keeps it."""
    phase = mapping(mapping(flow.get("status")).get("state")).get("phase")
    return is_leaving(flow) or phase in _ENDED


def _has_unfinished_jobs(status: Body) -> bool:
    return any(status.get(field) for field in _UNFINISHED)


def flow_part(flow: Body) -> Body:
    """The status of a flow reduced to what `flow_standing` reads, for caches. At most one Job of each list is kept."""
    status = mapping(flow.get("status"))
    jobs = {field: found[:1] for field in _UNFINISHED if isinstance(found := status.get(field), list) and found}
    return {"state": status.get("state"), **jobs}
