"""Whether a JobFlow counts as running, for `limits.maxRunningFlows`.

A suspended flow counts while Jobs of it are unfinished: otherwise suspending a flow after its start would make room for
another one while its Jobs continue to use the cluster.
"""

from typing import Final

from shared.model.phases import FlowPhase
from shared.model.types import Body
from shared.policy.context import mapping

_ENDED: Final = (FlowPhase.SUCCEED, FlowPhase.FAILED, FlowPhase.TERMINATING)
_UNFINISHED: Final = ("pendingJobs", "runningJobs")


def is_running(flow: Body) -> bool:
    """Whether a stored flow runs, or would run at once. A flow that is being deleted does not count."""
    if flow["metadata"].get("deletionTimestamp"):
        return False
    status = mapping(flow.get("status"))
    phase = mapping(status.get("state")).get("phase")
    if phase in _ENDED:
        return False
    if mapping(flow.get("spec")).get("suspend") is not True:
        return True
    # Until the controller has suspended it, a started flow may still create Jobs.
    acknowledged = phase in (None, "", FlowPhase.SUSPENDED)
    return not acknowledged or any(status.get(field) for field in _UNFINISHED)


def running_part(flow: Body) -> Body:
    """The status of a flow reduced to what `is_running` reads, for caches. At most one Job of each list is kept."""
    status = mapping(flow.get("status"))
    jobs = {field: found[:1] for field in _UNFINISHED if isinstance(found := status.get(field), list) and found}
    return {"state": status.get("state"), **jobs}
