"""What failed iterations mean for their loop (docs/design/jobflow-api.md, section 5.2)."""

from enum import StrEnum

from shared import ranges, tolerance
from shared.model.flow_status import Iterations, StepStatus
from shared.model.phases import FailureStrategy
from shared.model.step import Loop, Step


class LoopCourse(StrEnum):
    """What a loop does once more iterations have failed than it tolerates."""

    RUN_ALL = "RunAll"  # every item runs
    FINISH = "Finish"  # running iterations continue, no other starts
    TERMINATE = "Terminate"  # what runs is terminated


def course(step: Step, loop: Loop, strategy: FailureStrategy, *, final: bool) -> LoopCourse:
    """`for.failFast` decides if it is set, else `failureStrategy`, as far as the step's failure fails the flow."""
    if loop.fail_fast is not None:
        return LoopCourse.TERMINATE if loop.fail_fast else LoopCourse.RUN_ALL
    if step.allow_failure or final:
        return LoopCourse.RUN_ALL
    return {
        FailureStrategy.CONTINUE: LoopCourse.RUN_ALL,
        FailureStrategy.STOP: LoopCourse.FINISH,
        FailureStrategy.FAIL_FAST: LoopCourse.TERMINATE,
    }[strategy]


def failed_for_good(loop: Loop | None, state: StepStatus) -> bool:
    """Whether more iterations have failed than the loop tolerates."""
    if loop is None or state.iterations is None or not state.iterations.failed_indexes:
        return False
    return ranges.count(state.iterations.failed_indexes) > tolerated(loop, state.iterations)


def tolerated(loop: Loop, iterations: Iterations) -> int:
    """How many iterations may fail. What admission would refuse counts as 0."""
    if loop.tolerate is None:
        return 0
    try:
        return tolerance.tolerated(loop.tolerate, iterations.total)
    except tolerance.ToleranceError:
        return 0


def closed(iterations: Iterations) -> Iterations:
    """A loop's progress once it has ended: what waited for another attempt has failed, the rest was not started."""
    completed, failed = ranges.parse(iterations.completed_indexes), ranges.parse(iterations.failed_indexes)
    terminated = ranges.parse(iterations.terminated_indexes)
    failed |= {one.index for one in iterations.retries} - completed - terminated
    accounted = completed | failed | terminated | ranges.parse(iterations.skipped_indexes)
    return Iterations(
        total=iterations.total,
        completed_indexes=iterations.completed_indexes,
        failed_indexes=ranges.dump(failed),
        terminated_indexes=iterations.terminated_indexes,
        skipped_indexes=iterations.skipped_indexes,
        not_started=ranges.dump(set(range(iterations.total or 0)) - accounted),
        retries=iterations.retries,
        outputs=iterations.outputs,
    )
