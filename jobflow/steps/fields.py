"""Fields of a step from what Python users write. Pure."""

from collections.abc import Mapping, Sequence

from jobflow.expressions.cel_value import BoolValue, CelValue
from jobflow.expressions.text_values import ListValue
from jobflow.manifests.json_values import Text, as_text
from shared.model.step import Output
from shared.model.types import Body

_NO_STEPS: frozenset[str] = frozenset()


def outputs_of(given: str | Sequence[str | Output] | Mapping[str, str]) -> tuple[Output, ...]:
    if isinstance(given, str):
        return (Output(name=given),)
    if isinstance(given, Mapping):
        return tuple(Output(name=name, key=key) for name, key in given.items())
    return tuple(each if isinstance(each, Output) else Output(name=each, key=each) for each in given)


def loop_source(over: object, while_: BoolValue | str | None) -> tuple[Body, frozenset[str]]:
    """The source of `for`, and the steps that it reads. Raises TypeError."""
    if (over is None) is (while_ is None):
        raise TypeError(
            "a loop has one source: loop([...]), loop({...}), loop(range(n)), loop(expression) or loop(while_=...)"
        )
    if while_ is not None:
        return {"while": while_ if isinstance(while_, str) else while_.cel}, _reads(while_)
    if isinstance(over, str):
        return {"expression": over}, _NO_STEPS
    if isinstance(over, ListValue):
        return {"expression": over.cel}, over.steps
    if isinstance(over, CelValue):
        raise TypeError(f"`{over.cel}` is not a list; write .as_list() for a JSON list in a text, or .split(',')")
    if isinstance(over, range):
        step = {"step": over.step} if over.step != 1 else {}
        return {"range": {"start": over.start, "end": over.stop, **step}}, _NO_STEPS
    if isinstance(over, Mapping):
        return {"matrix": {name: [as_text(each) for each in values] for name, values in over.items()}}, _NO_STEPS
    if isinstance(over, Sequence):
        return {"items": [_item(each) for each in over]}, _NO_STEPS
    raise TypeError(f"{over!r} cannot be looped over: give a list, a dict of lists, a range or an expression")


def _item(value: Text | Mapping[str, Text]) -> str | dict[str, str]:
    """Items are texts: numbers are written out."""
    if isinstance(value, Mapping):
        return {str(key): as_text(each) for key, each in value.items()}
    return as_text(value)


def _reads(value: BoolValue | str) -> frozenset[str]:
    return value.steps if isinstance(value, BoolValue) else _NO_STEPS
