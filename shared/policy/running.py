"""Whether a JobFlow counts as running, for `limits.maxRunningFlows`.

A suspended flow counts while Jobs of it are unfinished: otherwise suspending a flow after its start would make room for
another one while its Jobs continue to use the cluster.
"""

from typing import Final

from shared.kinds import JOBFLOW
from shared.model.phases import FlowPhase
from shared.model.types import Body
from shared.policy.context import mapping

_ENDED: Final = (FlowPhase.SUCCEED, FlowPhase.FAILED, FlowPhase.TERMINATING)
_UNFINISHED: Final = ("pendingJobs", "runningJobs")


def is_running(flow: Body) -> bool:
    """Whether a stored flow runs, or would run at once.

    Neither a flow that is being deleted counts, nor one that runs as a step of another, which counts itself.
    """
    if flow["metadata"].get("deletionTimestamp") or is_sub_flow(flow):
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


def is_sub_flow(flow: Body) -> bool:
    """Whether a JobFlow is the controller of this one, so that a step of it runs this one."""
    owners = flow["metadata"].get("ownerReferences")
    return any(
        mapping(owner).get("kind") == JOBFLOW.kind and mapping(owner).get("controller") is True
        for owner in (owners if isinstance(owners, list) else ())
    )


def running_part(flow: Body) -> Body:
    """The status of a flow reduced to what `is_running` reads, for caches. At most one Job of each list is kept."""
    status = mapping(flow.get("status"))
    jobs = {field: found[:1] for field in _UNFINISHED if isinstance(found := status.get(field), list) and found}
    return {"state": status.get("state"), **jobs}
