"""Manifests to Python, and back to flows."""

from collections.abc import Sequence
from typing import TypeVar

import yaml

from jobflow.flow_builder import FlowBuilder
from jobflow.source.execute import execute
from jobflow.source.of_manifests import program_of
from jobflow.source.print_source import print_source
from shared.model.types import Body

F = TypeVar("F", bound=FlowBuilder)
_PACKAGE = __name__.partition(".")[0]


def python_source(bodies: Sequence[Body]) -> str:
    """A module that makes the same objects. Raises ValueError for objects that break their schema."""
    try:
        return print_source(program_of(bodies), _PACKAGE)
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise ValueError(f"the manifests do not match their schema: {error!r}; `jobflow lint` shows where") from error


def flows_of(text: str, flow: type[F]) -> list[F]:
    """The flows of a YAML text, as objects of the class `flow`. Raises ValueError."""
    try:
        bodies = [each for each in yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if each]
        return [each for each in execute(program_of(bodies), flow) if isinstance(each, flow)]
    except yaml.YAMLError as error:
        raise ValueError(f"this is not YAML: {error}") from error
    except (KeyError, AttributeError, StopIteration) as error:
        raise ValueError(f"the manifests do not match their schema: {error!r}; `jobflow lint` shows where") from error
