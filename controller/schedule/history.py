"""Which ended runs are deleted: the oldest beyond the history limits. Runs that are active are never deleted here."""

from controller.schedule.observed import RunState, ScheduledRun, ScheduleSeen


def pruned(seen: ScheduleSeen, stored: int) -> tuple[ScheduledRun, ...]:
    """The runs to delete.

    `stored`: the stored `considered`. Later runs are spared until it covers them, so that no time can start twice.
    """
    rules = seen.rules
    limits = {RunState.SUCCEEDED: rules.successful_limit, RunState.FAILED: rules.failed_limit}
    found: list[ScheduledRun] = []
    for state, limit in limits.items():
        ended = sorted((run for run in seen.runs if run.state is state), key=lambda run: (run.completed or 0, run.due))
        found += ended[: max(0, len(ended) - limit)]
    return tuple(run for run in found if not run.deleting and run.due <= stored)
