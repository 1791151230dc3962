"""The types of children, and which type a step has."""

from collections.abc import Mapping
from typing import Final

from controller.jobflow.children.child_type import ChildType, Parser
from controller.jobflow.children.job import JobType
from controller.jobflow.children.resource import ResourceType
from controller.jobflow.children.sub_flow import SubFlowType
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import Kind
from shared.model.step import Step

JOBS: Final = JobType()
RESOURCES: Final = ResourceType()
CHILD_TYPES: Final[tuple[ChildType, ...]] = (JOBS, SubFlowType(), RESOURCES)
"""The first type that makes a step's children counts."""

PARSERS: Final[Mapping[Kind, Parser]] = {kind: parse for one in CHILD_TYPES for kind, parse in one.parsers.items()}


def type_of(step: Step) -> ChildType | None:
    """The type of the step's children; None for a step that has none."""
    return next((one for one in CHILD_TYPES if one.makes(step)), None)


def type_of_child(child: ObservedChild) -> ChildType:
    """The type of a child that exists, whatever its step says by now."""
    return next((one for one in CHILD_TYPES if child.kind in one.parsers), RESOURCES)
