"""What the Jobs of a simulation do: which attempts fail, how long they take, what they put out. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, TypeVar

import msgspec

from jobflow.manifests.json_values import as_text
from shared.graphs.nesting import known_outputs
from shared.model.flow import JobFlowSpec

V = TypeVar("V")
SECONDS: Final = 10.0
_SELECTOR: Final = re.compile(r"(?P<step>[^\[\]:]+)(?:\[(?P<index>\d+)\])?(?::(?P<attempt>[1-9]\d*))?")
Failures = str | Sequence[str] | Mapping[str, int]
"""`"train"`, `"train:1"` (its first attempt), `"train[2]"` (an iteration), `"train[2]:1"`; as a dict: with exit codes."""
OutputTexts = Mapping[str, str | int | float | bool]
ScenarioOutputs = Mapping[str, OutputTexts]
"""By the same selectors, the values of the step's outputs."""


class ScenarioError(ValueError):
    """A scenario that speaks of what the flow has not."""


class OutputNeeded(ScenarioError):
    """An expression of the step `reader` reads an output for which the scenario has no value."""

    def __init__(self, reader: str, step: str, output: str) -> None:
        self.reader = reader
        self.step = step
        self.output = output
        super().__init__(
            f"step {reader} reads the output {output} of step {step}: say what it is, outputs={{{step!r}: {{{output!r}: ...}}}}"
        )


class JobScenario(msgspec.Struct, frozen=True):
    """By selector: exit codes of Jobs that fail, seconds that Jobs take, values of outputs."""

    failures: Mapping[str, int] = {}
    durations: Mapping[str, float] = {}
    outputs: Mapping[str, Mapping[str, str]] = {}
    seconds: float = SECONDS

    def exit_code(self, step: str, index: int | None, attempt: int) -> int:
        """0: the Job succeeds. `attempt`: from 0, as Jobs are labelled."""
        return _find(self.failures, step, index, attempt) or 0

    def duration(self, step: str, index: int | None, attempt: int) -> float:
        found = _find(self.durations, step, index, attempt)
        return self.seconds if found is None else found

    def output(self, step: str, index: int | None, attempt: int, name: str) -> str | None:
        """None: no value was given."""
        for selector in _selectors(step, index, attempt):
            if name in self.outputs.get(selector, {}):
                return self.outputs[selector][name]
        return None


def scenario(
    spec: JobFlowSpec,
    fail: Failures = (),
    outputs: ScenarioOutputs | None = None,
    durations: Mapping[str, float] | None = None,
    seconds: float = SECONDS,
) -> JobScenario:
    """Raises ScenarioError for names that the flow has not, and for times that are none."""
    failures = {fail: 1} if isinstance(fail, str) else fail if isinstance(fail, Mapping) else dict.fromkeys(fail, 1)
    declared = {step.name: known_outputs(step) for step in (*spec.flows, *spec.finally_)}
    for where, selectors in (("fail", failures), ("outputs", outputs or {}), ("durations", durations or {})):
        for selector in selectors:
            _check_step(where, selector, declared)
    for selector, code in failures.items():
        if not 1 <= code <= 255:
            raise ScenarioError(f"fail: {selector}: exit code {code} is none of a failure: 1 to 255 are")
    for selector, values in (outputs or {}).items():
        _check_outputs(selector, values, declared[step_of(selector)])
    for selector, value in (durations or {}).items():
        if not value >= 0:
            raise ScenarioError(f"durations: {selector}: {value} is no number of seconds")
    texts = {name: {key: as_text(value) for key, value in given.items()} for name, given in (outputs or {}).items()}
    return JobScenario(dict(failures), dict(durations or {}), texts, seconds)


def step_of(selector: str) -> str:
    found = _SELECTOR.fullmatch(selector)
    return found["step"] if found else ""


def _check_step(where: str, selector: str, declared: Mapping[str, Sequence[str]]) -> None:
    step = step_of(selector)
    if not step:
        raise ScenarioError(
            f'{where}: "{selector}" names no step: write STEP, STEP:ATTEMPT, STEP[INDEX] or STEP[INDEX]:ATTEMPT'
        )
    if step not in declared:
        raise ScenarioError(f'{where}: no step named "{step}"{_near(step, declared)}')


def _check_outputs(selector: str, values: Mapping[str, object], declared: Sequence[str]) -> None:
    for name in values:
        if name not in declared:
            raise ScenarioError(f'outputs: step {selector} has no output "{name}"{_near(name, declared)}')


def _near(name: str, names: Mapping[str, object] | Sequence[str]) -> str:
    found = get_close_matches(name, list(names), n=1)
    return f'; did you mean "{found[0]}"?' if found else f"; there are {', '.join(names) or 'none'}"


def _find(values: Mapping[str, V], step: str, index: int | None, attempt: int) -> V | None:
    return next((values[each] for each in _selectors(step, index, attempt) if each in values), None)


def _selectors(step: str, index: int | None, attempt: int) -> Iterator[str]:
    """Those that mean this Job, the closest first."""
    if index is not None:
        yield f"{step}[{index}]:{attempt + 1}"
        yield f"{step}[{index}]"
    yield f"{step}:{attempt + 1}"
    yield step
