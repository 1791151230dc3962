"""`status.next`: the steps that come next, and what each waits for, in words."""

from controller.jobflow.model.context import FlowContext, started
from controller.jobflow.model.gate_result import StepWait
from controller.jobflow.model.plan import strategy_of
from controller.jobflow.steps.dependency import dependency
from shared.model.flow_status import NextStep
from shared.model.phases import DependsStrategy, StepPhase
from shared.model.step import Step

_SHOWN = 3


def pending_steps(context: FlowContext) -> tuple[NextStep, ...]:
    """The steps that start or continue next, each with what it waits for."""
    if context.completion_time is not None or context.observed.flow.metadata.deletion_timestamp:
        return ()
    found = [
        NextStep(name=step.name, waiting_for=words) for step in context.plan.flows if (words := _words(context, step))
    ]
    open_ = [step.name for step in context.plan.flows if not context.steps[step.name].phase.ended]
    if open_ and not found:
        waiting = (f"waits for {_some(open_)}",)
        return tuple(NextStep(name=step.name, waiting_for=waiting) for step in context.plan.finals)
    finals = (step.name for step in context.plan.finals if step.name in context.waiting_for)
    return (*found, *(NextStep(name=name, waiting_for=context.waiting_for[name]) for name in finals))


def summary(steps: tuple[NextStep, ...]) -> str:
    """`next` in a line: `d: waits for b, c; e: suspended; 4 more`."""
    parts = [f"{step.name}: {', '.join(step.waiting_for)}" for step in steps[:_SHOWN]]
    if len(steps) > _SHOWN:
        parts.append(f"{len(steps) - _SHOWN} more")
    return "; ".join(parts)[:512]


def _words(context: FlowContext, step: Step) -> tuple[str, ...]:
    """What a step waits for; nothing for a step that runs, has ended, or whose targets have not started."""
    if not context.only_targets(step.name) and not _begins_to_wait(context, step.name):
        return context.waiting_for.get(step.name, ())
    if not _is_near(context, step.name):
        return ()
    answer = dependency(context, step)
    return answer.waiting_for if isinstance(answer, StepWait) else ()


def _begins_to_wait(context: FlowContext, name: str) -> bool:
    """Whether its last target started in this pass, after the step had been visited."""
    return name in context.open and name not in context.waiting_for and context.steps[name].phase is StepPhase.WAITING


def _is_near(context: FlowContext, name: str) -> bool:
    """Whether the steps that it waits for have started."""
    targets = context.plan.targets[name]
    active = [target for target in targets if _is_active(context, target)]
    if context.plan.chooser.get(name) in active:
        return True
    step = context.plan.steps[name]
    if strategy_of(step) is DependsStrategy.ANY and active:
        return True
    return all(context.steps[target].phase.ended or target in active for target in targets)


def _is_active(context: FlowContext, name: str) -> bool:
    state = context.steps[name]
    if state.phase.ended:
        return False
    if context.plan.steps[name].switch is not None:
        return _is_near(context, name)  # it decides, and what it chooses starts, in the moment that its targets end
    return started(state) or state.phase is StepPhase.PENDING


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
