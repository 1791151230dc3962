"""`status.next`: the steps that come next, and what each waits for, in words."""

from controller.jobflow.decide.advance import dependency
from controller.jobflow.decide.context import Turn, started
from controller.jobflow.decide.plan import strategy_of
from controller.jobflow.gate_result import Wait
from shared.model.flow_status import NextStep
from shared.model.phases import DependsStrategy, StepPhase
from shared.model.step import Step

_SHOWN = 3


def next_up(turn: Turn) -> tuple[NextStep, ...]:
    """Steps that start, or go on, as soon as what is named here has happened."""
    if turn.completion_time is not None or turn.seen.flow.metadata.deletion_timestamp:
        return ()
    found = [NextStep(name=step.name, waiting_for=words) for step in turn.plan.flows if (words := _words(turn, step))]
    open_ = [step.name for step in turn.plan.flows if not turn.steps[step.name].phase.ended]
    if open_ and not found:
        waiting = (f"waits for {_some(open_)}",)
        return tuple(NextStep(name=step.name, waiting_for=waiting) for step in turn.plan.finals)
    finals = (step.name for step in turn.plan.finals if step.name in turn.words)
    return (*found, *(NextStep(name=name, waiting_for=turn.words[name]) for name in finals))


def summary(steps: tuple[NextStep, ...]) -> str:
    """`next` in a line: `d: waits for b, c; e: suspended; 4 more`."""
    parts = [f"{step.name}: {', '.join(step.waiting_for)}" for step in steps[:_SHOWN]]
    if len(steps) > _SHOWN:
        parts.append(f"{len(steps) - _SHOWN} more")
    return "; ".join(parts)[:512]


def _words(turn: Turn, step: Step) -> tuple[str, ...]:
    """What a step waits for; nothing for one that runs, has ended, or is too far off. Targets may have started since."""
    if not turn.only_targets(step.name) and not _begins_to_wait(turn, step.name):
        return turn.words.get(step.name, ())
    if not _is_near(turn, step.name):
        return ()
    answer = dependency(turn, step)
    return answer.words if isinstance(answer, Wait) else ()


def _begins_to_wait(turn: Turn, name: str) -> bool:
    """Whether the last of its targets started in this very turn, after it had been looked at."""
    return name in turn.open and name not in turn.words and turn.steps[name].phase is StepPhase.WAITING


def _is_near(turn: Turn, name: str) -> bool:
    """Whether what it waits for is under way."""
    targets = turn.plan.targets[name]
    active = [target for target in targets if _is_active(turn, target)]
    if turn.plan.chooser.get(name) in active:
        return True
    step = turn.plan.steps[name]
    if strategy_of(step) is DependsStrategy.ANY and active:
        return True
    return all(turn.steps[target].phase.ended or target in active for target in targets)


def _is_active(turn: Turn, name: str) -> bool:
    state = turn.steps[name]
    if state.phase.ended:
        return False
    if turn.plan.steps[name].switch is not None:
        return _is_near(turn, name)  # it decides, and what it chooses starts, in the moment that its targets end
    return started(state) or state.phase is StepPhase.PENDING


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
