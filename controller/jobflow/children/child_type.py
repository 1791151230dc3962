"""What differs between the kinds of objects that steps create."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from controller.decision import Action
from controller.jobflow.children.commands import child_command, stop_command_name
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import GateResult, StepWait
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import Kind
from shared.model.step import Step
from shared.model.types import Body

Parser = Callable[[Body], ObservedChild]


class BuildFault(Exception):
    """No child can be built for this step; `reason` becomes the step's reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ChildType(ABC):
    """Makes, reads and stops the children of the steps for which `makes` is true. Pure and without state.

    `invalid`: the reason of a step whose child the API server will never accept; `stop_action`: of the Command that stops a
    child.
    """

    invalid: str
    stop_action: str

    @property
    @abstractmethod
    def parsers(self) -> Mapping[Kind, Parser]:
        """The kinds of the children, each with the function that reads a raw object of it."""

    @abstractmethod
    def makes(self, step: Step) -> bool:
        """Whether the step has children of this type."""

    @abstractmethod
    def kind_of(self, context: FlowContext, step: Step) -> Kind:
        """The kind of the step's children."""

    @abstractmethod
    def missing(self, context: FlowContext, step: Step) -> GateResult | None:
        """What must exist before a child can be built, or why none can be; None: it can."""

    @abstractmethod
    def build(self, context: FlowContext, step: Step, name: str, attempt: int, iteration: Iteration | None) -> Body:
        """The child `name`, as it is to be created, with its owner reference and labels. Raises BuildFault."""

    @abstractmethod
    def obstacle(self, context: FlowContext, body: Body) -> StepWait | None:
        """Why the API server would refuse `body` for now; None: nothing is known."""

    def stop(self, context: FlowContext, child: ObservedChild) -> Action:
        """The write that stops a running child. It is sent again every 30 s until the child has ended."""
        return child_command(child, context.observed.flow.metadata.namespace, self.stop_action)

    def forces(self, context: FlowContext, child: ObservedChild) -> bool:
        """Whether `stop` ends more than an earlier one did, so that it is not put off for as long."""
        return False

    def resume(self, context: FlowContext, child: ObservedChild) -> Action | None:
        """The write that makes a `resumable` child continue when a Command retries the flow; None: a new child is
        created instead."""
        return None

    def stop_name(self, child: ObservedChild) -> str:
        """The name under which a refusal of `stop` is remembered."""
        return stop_command_name(child)

    @abstractmethod
    def reads_pods(self, step: Step, child: ObservedChild) -> bool:
        """Whether an ended child's pods must be read before its results are known."""

    @abstractmethod
    def outputs(self, context: FlowContext, step: Step, child: ObservedChild, used: int) -> dict[str, str]:
        """The outputs of a completed child. `used`: bytes of the flow's outputs so far. Raises MissingOutput."""

    @abstractmethod
    def available(self, context: FlowContext, step: Step, child: ObservedChild, used: int) -> dict[str, str]:
        """The outputs that a child left that has failed. Those that are missing are left out."""
