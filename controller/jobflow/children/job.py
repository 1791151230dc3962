"""Steps that create a Job from a JobTemplate: the default for a step that names no other kind."""

from collections.abc import Mapping

from controller.jobflow import reasons
from controller.jobflow.children.build import build
from controller.jobflow.children.child_type import ChildType, Parser
from controller.jobflow.children.closed_queue import closed_queue
from controller.jobflow.children.parse.job import parse_job
from controller.jobflow.control import outputs
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import StepWait
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import JOB, Kind
from shared.model.phases import JobAction, JobPhase
from shared.model.step import Step
from shared.model.types import Body


class JobType(ChildType):
    """Jobs of batch.volcano.sh. A Command stops them, which any Job controller understands."""

    invalid = reasons.INVALID_JOB
    stop_action = JobAction.TERMINATE_JOB

    @property
    def parsers(self) -> Mapping[Kind, Parser]:
        return {JOB: parse_job}

    def makes(self, step: Step) -> bool:
        return step.makes_jobs

    def kind_of(self, context: FlowContext, step: Step) -> Kind:
        return JOB

    def missing(self, context: FlowContext, step: Step) -> StepWait | None:
        if step.template_name in context.observed.templates:
            return None
        said = f"template {step.template_name} not found"
        return StepWait((said,), reasons.TEMPLATE_NOT_FOUND, said)

    def build(self, context: FlowContext, step: Step, name: str, attempt: int, iteration: Iteration | None) -> Body:
        return build(context, step, name, attempt, iteration, context.observed.templates[step.template_name])

    def obstacle(self, context: FlowContext, body: Body) -> StepWait | None:
        return closed_queue(context, body)

    def reads_pods(self, step: Step, child: ObservedChild) -> bool:
        return bool(step.outputs) or child.phase is not JobPhase.COMPLETED

    def outputs(self, context: FlowContext, step: Step, child: ObservedChild, used: int) -> dict[str, str]:
        return outputs.collect(step, child, context.observed.pods[child.name], used) if step.outputs else {}

    def available(self, context: FlowContext, step: Step, child: ObservedChild, used: int) -> dict[str, str]:
        pods = context.observed.pods.get(child.name)
        return outputs.available(step, child, pods, used) if pods is not None else {}
