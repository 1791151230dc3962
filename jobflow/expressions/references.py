"""Names that stand for values of the running flow: params, the loop's item, the attempt, the flow itself, the schedule."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from jobflow.expressions.literals import Level, member
from jobflow.expressions.number_value import NumberValue
from jobflow.expressions.step_values import StepValues
from jobflow.expressions.text_values import JsonValue, TextValue


class ParamValues:
    """`flow.params.day` or `flow.params["day"]`: texts."""

    def __init__(self, flow: str, names: Iterable[str]) -> None:
        self._flow = flow
        self._names = tuple(names)

    def __getitem__(self, name: str) -> TextValue:
        fault = self._fault(name)
        if fault:
            raise KeyError(fault)
        return TextValue(member("params", name), reference=f"$(params.{name})")

    def __getattr__(self, name: str) -> TextValue:
        fault = self._fault(name)
        if fault:
            raise AttributeError(fault)
        return self[name]

    def __dir__(self) -> list[str]:
        return list(self._names)

    def _fault(self, name: str) -> str:
        if name in self._names:
            return ""
        near = get_close_matches(name, self._names, n=1)
        said = (
            f'; did you mean "{near[0]}"?' if near else f"; declare it: Flow({self._flow!r}, params={{{name!r}: ...}})"
        )
        return f'flow {self._flow} has no param "{name}"{said}'


class AttemptValues:
    """What `retry(when=...)` reads of the attempt that has failed."""

    phase: Final = TextValue("attempt.phase")
    reason: Final = TextValue("attempt.reason")
    message: Final = TextValue("attempt.message")
    exit_code: Final = NumberValue("attempt.exitCode", Level.PRIMARY, frozenset(), real=False)
    number: Final = NumberValue("attempt.number", Level.PRIMARY, frozenset(), real=False)
    seconds: Final = NumberValue("attempt.durationSeconds", Level.PRIMARY, frozenset(), real=True)


class ThisFlow:
    """The flow as it runs. `step`: the name of the step whose string it stands in; `outcome`: known in `finally`."""

    name: Final = TextValue("flow.name", reference="$(flow.name)")
    namespace: Final = TextValue("flow.namespace", reference="$(flow.namespace)")
    outcome: Final = TextValue("flow.outcome")
    step: Final = TextValue("step.name", reference="$(step.name)")

    def label(self, key: str) -> TextValue:
        return TextValue(member("flow.labels", key))

    def annotation(self, key: str) -> TextValue:
        return TextValue(member("flow.annotations", key))


class ScheduleValues:
    """The time for which a schedule makes a flow, in the params of the schedule."""

    date: Final = TextValue("schedule.date", reference="$(schedule.date)")
    time: Final = TextValue("schedule.time", reference="$(schedule.time)")
    previous_time: Final = TextValue("schedule.previousTime", reference="$(schedule.previousTime)")
    unix: Final = TextValue("schedule.unix", reference="$(schedule.unix)")


item: Final = JsonValue("item", reference="$(item)")
"""The loop's item; `item["key"]` where the items are dicts."""
index: Final = NumberValue("index", Level.PRIMARY, frozenset(), real=False, reference="$(index)")
"""The number of the iteration, from 0."""
last: Final = StepValues("last", frozenset())
"""The iteration before this one, in `loop(while_=...)`."""
attempt: Final = AttemptValues()
this: Final = ThisFlow()
schedule: Final = ScheduleValues()
