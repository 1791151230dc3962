"""Next steps and the reasons why they wait, with the messages of the scheduler or the gang. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from drawing.flow_view import FlowView, StepView, job_of, step_of
from drawing.nested import StepPlace
from shared.model.phases import StepPhase
from shared.model.types import Body
from shared.naming import job_name
from shared.podstatus.podproblem import pod_problem


class WaitingStep(msgspec.Struct, frozen=True):
    """`why`: what the controller says; `pods`: what pods say, each with how many say so."""

    step: StepView
    why: tuple[str, ...]
    pods: tuple[tuple[str, int], ...] = ()


class NextSteps(msgspec.Struct, frozen=True):
    """`begun`: steps whose Jobs exist and do not run yet, or run with trouble; `coming`: those that start next; `later`:
    those that wait for steps which have not begun."""

    begun: tuple[WaitingStep, ...]
    coming: tuple[WaitingStep, ...]
    later: tuple[WaitingStep, ...]


_BEGUN = (StepPhase.PENDING, StepPhase.RETRYING, StepPhase.SUSPENDED)


def next_steps(view: FlowView, places: Mapping[str, StepPlace], pods: Iterable[Body]) -> NextSteps:
    """`places`: where the steps of `view` are."""
    problems = _problems(places, pods)
    ended = {step.name for step in view.steps if step.phase.ended}
    begun, coming, later = [], [], []
    for step in view.steps:
        if step.phase.ended:
            continue
        said = tuple(sorted(problems.get(step.name, {}).items(), key=lambda each: -each[1]))
        if step.phase is not StepPhase.WAITING:
            if step.phase in _BEGUN or said or step.waiting:
                begun.append(WaitingStep(step, _why(step), said))
        elif step.waiting:
            coming.append(WaitingStep(step, step.waiting, said))
        elif not view.over:
            later.append(WaitingStep(step, _after(step, ended)))
    return NextSteps(tuple(begun), tuple(coming), tuple(later))


def _after(step: StepView, ended: Collection[str]) -> tuple[str, ...]:
    if step.final and not step.targets:
        return ("after all steps outside of `finally` have ended",)
    after = [target for target in step.targets if target not in ended]
    return (f"after {', '.join(after)}",) if after else ()


def _why(step: StepView) -> tuple[str, ...]:
    said = ": ".join(part for part in (step.reason, step.message) if part)
    return (*step.waiting, *((said,) if said and said not in step.waiting else ()))


def _problems(places: Mapping[str, StepPlace], pods: Iterable[Body]) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    names = {job_name(place.body["metadata"]["name"], place.step): shown for shown, place in places.items()}
    for pod in pods:
        if problem := pod_problem(pod):
            step = step_of(job_of(pod), names)
            if step:
                found.setdefault(step, Counter())[str(problem)] += 1
    return found
