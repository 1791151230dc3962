"""How a scenario names Jobs: `train`, `train:1` (an attempt), `train[2]` (an iteration), `clean/count` (in a flow below). Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

V = TypeVar("V")
FORMS: Final = (
    "STEP, STEP:ATTEMPT, STEP[INDEX] or STEP[INDEX]:ATTEMPT, and STEP/STEP for a step of the flow that a step runs"
)
BELOW: Final = "/"
_PART: Final = re.compile(r"(?P<step>[^\[\]:/]+)(?:\[(?P<index>\d+)\])?(?::(?P<attempt>[1-9]\d*))?")


def path_of(selector: str) -> tuple[str, ...]:
    """The names of the steps that lead to what is meant, the outermost first; () for a text that names none."""
    parts = [_PART.fullmatch(each) for each in selector.split(BELOW)]
    return tuple(each["step"] for each in parts if each) if all(parts) else ()


def found(values: Mapping[str, V], step: str, index: int | None, attempt: int) -> V | None:
    """The value for a Job of this flow: of the selectors that mean it, the closest counts. `attempt`: from 0."""
    return next((values[each] for each in selectors_of(step, index, attempt) if each in values), None)


def below(values: Mapping[str, V], step: str, index: int | None, attempt: int) -> dict[str, V]:
    """The values for the flow that the step runs in this attempt, by selectors within that flow."""
    merged: dict[str, V] = {}
    for each in reversed(tuple(selectors_of(step, index, attempt))):
        head = f"{each}{BELOW}"
        merged |= {key.removeprefix(head): value for key, value in values.items() if key.startswith(head)}
    return merged


def selectors_of(step: str, index: int | None, attempt: int) -> Iterator[str]:
    """Those that mean this Job, the closest first."""
    if index is not None:
        yield f"{step}[{index}]:{attempt + 1}"
        yield f"{step}[{index}]"
    yield f"{step}:{attempt + 1}"
    yield step
