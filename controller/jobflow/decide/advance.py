"""Moves steps that have not ended: each control primitive is asked in turn, and what none objects to starts."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from controller.jobflow import reasons
from controller.jobflow.control import daemon, failure, loop, probe, retry
from controller.jobflow.control.depends_on import depends_on
from controller.jobflow.control.if_ import condition
from controller.jobflow.control.suspend import suspended
from controller.jobflow.control.switch import selected, switch
from controller.jobflow.decide import observe_jobs
from controller.jobflow.decide.context import Turn, started
from controller.jobflow.decide.start import find_template, hold, start
from controller.jobflow.decide.values import Iteration
from controller.jobflow.gate_result import Answer, End, Wait
from shared import ranges
from shared.model.flow_status import Iterations, StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step

Ready = list[tuple[Step, list[Iteration] | None]]
# After the dependency has said go, in this order; the first answer counts.
_GATES: Final[tuple[Callable[[Turn, Step], Answer | None], ...]] = (condition, suspended, switch, find_template)


def advance(turn: Turn, names: Sequence[str]) -> None:
    """Start, skip or end whatever of `names` (in topological order) can be, until nothing moves any more."""
    unended, far = turn.open, turn.standing.far
    if turn.outcome:
        far.clear()  # all that waits is to end
    ended = True
    while ended:
        ready: Ready = []
        ended = False
        for name in names:
            if name in unended and name not in far and not _is_far(turn, name):
                ended |= _move(turn, turn.plan.steps[name], turn.steps[name], ready)
        ended |= start(turn, ready)


def _is_far(turn: Turn, name: str) -> bool:
    """A step with a target that has not even started cannot move, whatever else it says: the cheap way out."""
    if turn.failed or turn.outcome:
        return False
    if any(turn.steps[target].phase is StepPhase.WAITING for target in turn.plan.simple.get(name, ())):
        turn.standing.far.add(name)
        return True
    return False


def _move(turn: Turn, step: Step, state: StepStatus, ready: Ready) -> bool:
    """One step; True when it ended."""
    before = turn.steps[step.name].phase
    turn.words.pop(step.name, None)
    turn.on_targets.discard(step.name)
    turn.standing.far.discard(step.name)
    if not started(state):
        _begin(turn, step, ready)
    elif failure.halts(turn, step):
        _halt(turn, step, state)
    elif step.for_ is not None:
        _iterate(turn, step, ready)
    elif state.phase is StepPhase.RETRYING:
        _again(turn, step, ready)
    return turn.steps[step.name].phase.ended and not before.ended


def _begin(turn: Turn, step: Step, ready: Ready) -> None:
    answer = _answer(turn, step)
    if isinstance(answer, End):
        turn.end(step.name, answer.phase, answer.reason, answer.message, chosen=answer.chosen)
    elif isinstance(answer, Wait):
        hold(turn, step.name, answer)
    elif step.for_ is None:
        ready.append((step, None))
    else:
        _expand(turn, step, ready)


def _answer(turn: Turn, step: Step) -> Answer | None:
    found = dependency(turn, step)
    if isinstance(found, End):
        return found
    stop = failure.stopped(turn, step)
    if stop is not None or found is not None:
        return stop or found
    if step.for_ is not None and turn.loop_jobs(step.name, turn.steps[step.name].attempt_base):
        return None  # it had begun before anything of it was recorded
    return next((answer for gate in _GATES if (answer := gate(turn, step)) is not None), None)


def dependency(turn: Turn, step: Step) -> Answer | None:
    """Targets (or what they serve) and the switch must both say go; None: they do."""
    targets = (probe.probe if probe.of(step) else depends_on)(turn, step)
    if isinstance(targets, End):
        return targets
    chosen = selected(turn, step)
    if isinstance(targets, Wait) and isinstance(chosen, Wait):
        return Wait((*targets.words, *chosen.words))
    return chosen or targets


def _expand(turn: Turn, step: Step, ready: Ready) -> None:
    assert step.for_ is not None
    begun = loop.begin(turn, step, step.for_)
    if isinstance(begun, End):
        turn.end(step.name, begun.phase, begun.reason, begun.message)
        return
    iterations, digest = begun
    turn.change(
        step.name,
        phase=StepPhase.RUNNING,
        reason="",
        message="",
        iterations=iterations,
        items_hash=digest,
        start_time=turn.now_text,
        last=None,
    )
    observe_jobs.record_loop(turn, step, turn.steps[step.name], iterations)
    _iterate(turn, step, ready)


def _iterate(turn: Turn, step: Step, ready: Ready) -> None:
    assert step.for_ is not None
    state = turn.steps[step.name]
    if step.daemon and daemon.served_by_loop(turn, state):
        found: End | list[Iteration] = (
            [] if state.iterations and state.iterations.running else End(StepPhase.COMPLETED, "")
        )
    else:
        found = loop.next_iterations(turn, step, step.for_, state)
    if isinstance(found, End):
        _end_loop(turn, step, state, found)
        return
    if state.iterations is None or not state.iterations.failed_indexes:
        _retry_words(turn, step, state)
    if not found:
        return
    wait = suspended(turn, step)
    if wait is not None:
        hold(turn, step.name, wait)
    else:
        ready.append((step, found))


def _end_loop(turn: Turn, step: Step, state: StepStatus, found: End) -> None:
    iterations = state.iterations or Iterations()
    completed = found.phase is StepPhase.COMPLETED
    last = str(max(ranges.parse(iterations.completed_indexes), default=0))
    turn.end(
        step.name,
        found.phase,
        found.reason,
        found.message,
        outputs=iterations.outputs.get(last, {}) if completed else state.outputs,
        exit_code=0 if completed else _code(state, iterations),
    )


def _code(state: StepStatus, iterations: Iterations) -> int | None:
    failed = loop.first_failure(state, iterations) if iterations.failed_indexes else None
    return failed.exit_code if failed is not None else state.exit_code


def _again(turn: Turn, step: Step, ready: Ready) -> None:
    if not turn.due(step.name):
        _retry_words(turn, step, turn.steps[step.name])
        return
    wait = suspended(turn, step)
    if wait is not None:
        hold(turn, step.name, wait)
    else:
        ready.append((step, None))


def _retry_words(turn: Turn, step: Step, state: StepStatus) -> None:
    """`retry 2/3 in 40 s`: the whole pause, so that the text does not change while time passes."""
    settings = turn.plan.retry(step)
    tries: list[tuple[int | None, int]] = [(None, state.attempts - state.attempt_base)]
    if step.for_ is not None:
        retries = state.iterations.retries if state.iterations else ()
        tries = [(one.index, one.attempts) for one in retries if not turn.due(step.name, one.index)]
    words = []
    for index, tried in tries[:3]:
        of = "" if index is None else f" of iteration {index}"
        words.append(f"retry {tried}/{settings.limit or 0}{of} in {retry.pause(settings, tried):g} s")
    if words:
        turn.words[step.name] = tuple(words)


def _halt(turn: Turn, step: Step, state: StepStatus) -> None:
    """Terminate what runs of a step; once nothing does, it ends."""
    running = [job for job in turn.current_jobs(state) if not job.ended]
    for job in running:
        turn.kill(job)
    if state.iterations is not None:
        if state.iterations.running:
            return
        reason = turn.outcome or reasons.FLOW_STOPPED
        turn.end(step.name, StepPhase.TERMINATED, reason, "its iterations were terminated")
    elif state.phase is StepPhase.RETRYING:
        attempt = state.last_attempt
        phase = StepPhase(attempt.phase) if attempt else StepPhase.FAILED
        ended = replace(
            state,
            phase=phase,
            reason=attempt.reason if attempt else "",
            message=attempt.message if attempt else "",
            completion_time=turn.now_text,
        )
        turn.put(ended)
