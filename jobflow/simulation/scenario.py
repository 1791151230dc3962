"""What the Jobs of a simulation do, and what people answer: failures, durations, outputs, approvals. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import msgspec

from jobflow.manifests.json_values import as_text
from jobflow.simulation.outline import FlowOutline
from jobflow.simulation.selectors import BELOW, FORMS, below, found, path_of, selectors_of
from shared.graphs.nesting import known_outputs
from shared.model.step import Step

SECONDS: Final = 10.0
Failures = str | Sequence[str] | Mapping[str, int]
"""`"train"`, `"train:1"` (its first attempt), `"train[2]"` (an iteration), `"clean/count"` (in the flow that a step runs); as a
dict: with exit codes."""
OutputTexts = Mapping[str, str | int | float | bool]
ScenarioOutputs = Mapping[str, OutputTexts]
"""By the same selectors, the values of the step's outputs."""
ANSWERS: Final = ("approved", "rejected", "timeout")
"""Of people; "timeout": nobody answers."""


class ScenarioError(ValueError):
    """The scenario names something that the flow does not have."""


class OutputNeeded(ScenarioError):
    """An expression of `reader`, a step or the output of a flow, reads an output for which the scenario has no value."""

    def __init__(self, reader: str, step: str, output: str) -> None:
        self.reader = reader
        self.step = step
        self.output = output
        super().__init__(
            f"{reader} reads the output {output} of step {step}: give its value, outputs={{{step!r}: {{{output!r}: ...}}}}"
        )


class JobScenario(msgspec.Struct, frozen=True):
    """By selector: exit codes of Jobs that fail, seconds that Jobs and people take, values of outputs, answers."""

    failures: Mapping[str, int] = {}
    durations: Mapping[str, float] = {}
    outputs: Mapping[str, Mapping[str, str]] = {}
    approvals: Mapping[str, str] = {}
    seconds: float = SECONDS

    def exit_code(self, step: str, index: int | None, attempt: int) -> int:
        """0: the Job succeeds. `attempt`: from 0, as Jobs are labelled."""
        return found(self.failures, step, index, attempt) or 0

    def duration(self, step: str, index: int | None, attempt: int) -> float:
        given = found(self.durations, step, index, attempt)
        return self.seconds if given is None else given

    def output(self, step: str, index: int | None, attempt: int, name: str) -> str | None:
        """None: no value was given."""
        for selector in selectors_of(step, index, attempt):
            if name in self.outputs.get(selector, {}):
                return self.outputs[selector][name]
        return None

    def answer(self, step: str, attempt: int) -> str:
        return found(self.approvals, step, None, attempt) or "approved"

    def covers(self, step: str, index: int | None, attempt: int) -> bool:
        """Whether it gives the result of the Job, or of the flow that the step runs, as a whole."""
        said: Iterable[Mapping[str, object]] = (self.failures, self.durations, self.outputs)
        return any(selector in each for each in said for selector in selectors_of(step, index, attempt))

    def below(self, step: str, index: int | None, attempt: int) -> "JobScenario":
        """That of the flow that the step runs."""
        return JobScenario(
            below(self.failures, step, index, attempt),
            below(self.durations, step, index, attempt),
            below(self.outputs, step, index, attempt),
            below(self.approvals, step, index, attempt),
            self.seconds,
        )


def scenario(
    flow: FlowOutline,
    fail: Failures = (),
    outputs: ScenarioOutputs | None = None,
    durations: Mapping[str, float] | None = None,
    approvals: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> JobScenario:
    """Raises ScenarioError for names that the flow has not, and for times and answers that are none."""
    failures = {fail: 1} if isinstance(fail, str) else fail if isinstance(fail, Mapping) else dict.fromkeys(fail, 1)
    for selector, code in failures.items():
        _check_failure(selector, code, _step("fail", selector, flow))
    for selector, values in (outputs or {}).items():
        _check_outputs(selector, values, known_outputs(_step("outputs", selector, flow)))
    for selector, value in (durations or {}).items():
        _step("durations", selector, flow)
        if not value >= 0:
            raise ScenarioError(f"durations: {selector}: {value:g} is not a number of seconds")
    for selector, answer in (approvals or {}).items():
        _check_answer(selector, answer, _step("approvals", selector, flow))
    texts = {name: {key: as_text(value) for key, value in given.items()} for name, given in (outputs or {}).items()}
    return JobScenario(dict(failures), dict(durations or {}), texts, dict(approvals or {}), seconds)


def _step(where: str, selector: str, flow: FlowOutline) -> Step:
    path = path_of(selector)
    if not path:
        raise ScenarioError(f'{where}: "{selector}" does not name a step: write {FORMS}')
    within, step = flow.find(path)
    above = BELOW.join(path[:-1])
    if within is None:
        raise ScenarioError(f'{where}: "{selector}": {above} is no step that runs a flow whose steps are known here')
    if step is None:
        place = f" in the flow of {above}" if above else ""
        raise ScenarioError(f'{where}: no step named "{path[-1]}"{place}{_near(path[-1], within.steps)}')
    return step


def _check_failure(selector: str, code: int, step: Step) -> None:
    if not 1 <= code <= 255:
        raise ScenarioError(f"fail: {selector}: exit code {code} does not mean failure: use 1 to 255")
    if step.approve is not None:
        raise ScenarioError(f'fail: {selector} waits for a person: write approvals={{{selector!r}: "rejected"}}')


def _check_outputs(selector: str, values: Mapping[str, object], declared: Sequence[str]) -> None:
    for name in values:
        if name not in declared:
            raise ScenarioError(f'outputs: step {selector} has no output "{name}"{_near(name, declared)}')


def _check_answer(selector: str, answer: str, step: Step) -> None:
    if answer not in ANSWERS:
        raise ScenarioError(f'approvals: {selector}: "{answer}" is no answer; there are {", ".join(ANSWERS)}')
    if step.approve is None:
        raise ScenarioError(f"approvals: step {selector} does not wait for an approval")
    if answer == "timeout" and not step.approve.timeout:
        raise ScenarioError(f"approvals: step {selector} has no timeout, so it would wait for ever")


def _near(name: str, names: Mapping[str, object] | Sequence[str]) -> str:
    close = get_close_matches(name, list(names), n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; there are {', '.join(names) or 'none'}"
