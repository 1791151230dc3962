"""What can be read of a step once it has ended: its phase, outputs, exit code, iterations."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final

from jobflow.expressions.cel_value import BoolValue, CelValue
from jobflow.expressions.literals import Level, member
from jobflow.expressions.number_value import NumberValue
from jobflow.expressions.text_values import TextValue, variable_for

_TEMPLATE_STEPS: Final = "steps."


class OutputValues:
    """`step.outputs["loss"]`: a text, "" until the step has produced it."""

    __slots__ = ("_base", "_declared", "_steps", "_within_strings")

    def __init__(self, base: str, steps: frozenset[str], declared: Iterable[str] | None, within_strings: str) -> None:
        self._base = base
        self._steps = steps
        self._declared = None if declared is None else tuple(declared)
        self._within_strings = within_strings

    def __getitem__(self, name: str) -> TextValue:
        if self._declared is not None and name not in self._declared:
            near = get_close_matches(name, self._declared, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"declare it: outputs=[{name!r}]"
            raise KeyError(f'{self._base} has no output "{name}"; {hint}')
        reference = f"$({self._within_strings}.outputs.{name})" if self._within_strings else ""
        return TextValue(member(f"{self._base}.outputs", name), Level.PRIMARY, self._steps, reference)


class StepValues:
    """The values of one step, of an iteration, or of the iteration before (`last`)."""

    __slots__ = ("_base", "_declared", "_steps")

    def __init__(self, base: str, steps: frozenset[str], declared: Iterable[str] | None = None) -> None:
        self._base = base
        self._steps = steps
        self._declared = declared

    @property
    def phase(self) -> TextValue:
        """Completed, Failed, Skipped or Terminated."""
        return TextValue(f"{self._base}.phase", Level.PRIMARY, self._steps)

    @property
    def reason(self) -> TextValue:
        return TextValue(f"{self._base}.reason", Level.PRIMARY, self._steps)

    @property
    def attempts(self) -> NumberValue:
        return self._number("attempts")

    @property
    def exit_code(self) -> NumberValue:
        """Of the first pod that failed; 0 if none did."""
        return self._number("exitCode")

    @property
    def pods_succeeded(self) -> NumberValue:
        return self._number("pods.succeeded")

    @property
    def pods_failed(self) -> NumberValue:
        return self._number("pods.failed")

    @property
    def outputs(self) -> OutputValues:
        within = self._base if self._base.startswith(_TEMPLATE_STEPS) else ""
        return OutputValues(self._base, self._steps, self._declared, within)

    @property
    def iterations(self) -> "IterationValues":
        """Of a step with a loop."""
        return IterationValues(f"{self._base}.iterations", Level.PRIMARY, self._steps)

    def _number(self, field: str) -> NumberValue:
        return NumberValue(f"{self._base}.{field}", Level.PRIMARY, self._steps, real=False)


class IterationValues(CelValue):
    """The iterations of a loop: `train.iterations.any(lambda each: each.exit_code == 3)`."""

    __slots__ = ()

    def size(self) -> NumberValue:
        return NumberValue(f"size({self.cel})", Level.PRIMARY, self.steps, real=False)

    def any(self, test: Callable[[StepValues], BoolValue]) -> BoolValue:
        return self._macro("exists", test)

    def all(self, test: Callable[[StepValues], BoolValue]) -> BoolValue:
        return self._macro("all", test)

    def __getitem__(self, index: int) -> StepValues:
        return StepValues(f"{self.cel}[{index}]", self.steps)

    def _macro(self, name: str, test: Callable[[StepValues], BoolValue]) -> BoolValue:
        variable = variable_for(self.cel)
        inner = test(StepValues(variable, frozenset()))
        return BoolValue(f"{self.cel}.{name}({variable}, {inner.cel})", Level.PRIMARY, self.steps | inner.steps)


class NamedStepValues(StepValues):
    """The values of the step `name`, which strings can hold as `$(steps.NAME.outputs.OUTPUT)`."""

    __slots__ = ("_name",)

    def __init__(self, name: str, outputs: Iterable[str]) -> None:
        super().__init__(member("steps", name), frozenset((name,)), outputs)
        self._name = name

    @property
    def outputs(self) -> OutputValues:
        return OutputValues(self._base, self._steps, self._declared, f"{_TEMPLATE_STEPS}{self._name}")
