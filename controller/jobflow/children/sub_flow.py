"""Steps that run a flow: their child is a JobFlow, from a JobFlowTemplate or written out."""

from collections.abc import Mapping

from controller.decision import Action, Create
from controller.jobflow import reasons
from controller.jobflow.children.child_type import ChildType, Parser
from controller.jobflow.children.commands import child_command
from controller.jobflow.children.flow_outputs import available_outputs, flow_outputs
from controller.jobflow.children.flow_spec import build_flow, flow_missing
from controller.jobflow.children.parse.flow import parse_flow
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import GateResult, StepWait
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import JOBFLOW, Kind
from shared.model.phases import FlowAction
from shared.model.step import Step
from shared.model.types import Body


class SubFlowType(ChildType):
    """JobFlows. A Command stops them; another one makes them continue where they failed."""

    invalid = reasons.INVALID_JOB_FLOW
    stop_action = FlowAction.TERMINATE

    @property
    def parsers(self) -> Mapping[Kind, Parser]:
        return {JOBFLOW: parse_flow}

    def makes(self, step: Step) -> bool:
        return step.flow is not None

    def kind_of(self, context: FlowContext, step: Step) -> Kind:
        return JOBFLOW

    def missing(self, context: FlowContext, step: Step) -> GateResult | None:
        return flow_missing(context, step)

    def build(self, context: FlowContext, step: Step, name: str, attempt: int, iteration: Iteration | None) -> Body:
        return build_flow(context, step, name, attempt, iteration)

    def obstacle(self, context: FlowContext, body: Body) -> StepWait | None:
        return None

    def stop(self, context: FlowContext, child: ObservedChild) -> Action:
        """Its `finally` runs, unless a Command ends that too; such a Command is passed on to all levels below."""
        message = child.forced_stop if self.forces(context, child) else ""
        return child_command(child, context.observed.flow.metadata.namespace, self.stop_action, message=message)

    def forces(self, context: FlowContext, child: ObservedChild) -> bool:
        state = context.steps.get(child.step)
        return state is not None and state.stopped

    def resume(self, context: FlowContext, child: ObservedChild) -> Create:
        """The Command has the claim of this flow, as the Command that retries this flow had it."""
        namespace = context.observed.flow.metadata.namespace
        return child_command(child, namespace, FlowAction.RETRY, context.observed.granted.claim)

    def reads_pods(self, step: Step, child: ObservedChild) -> bool:
        return False

    def outputs(self, context: FlowContext, step: Step, child: ObservedChild, used: int) -> dict[str, str]:
        return flow_outputs(step, child, used)

    def available(self, context: FlowContext, step: Step, child: ObservedChild, used: int) -> dict[str, str]:
        return available_outputs(step, child, used)
