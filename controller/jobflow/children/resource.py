"""Steps with `resource`: their child is an object of a kind that the operator allows."""

from collections.abc import Mapping
from typing import Final

import msgspec

from controller.decision import Delete, Patch
from controller.jobflow import reasons
from controller.jobflow.children.build_resource import build_resource
from controller.jobflow.children.child_type import ChildType, Parser
from controller.jobflow.children.granted_kinds import without_right
from controller.jobflow.control.outputs import MissingOutput, size
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import GateResult, StepWait, fail
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import Kind
from shared.model.step import Step
from shared.model.types import Body
from shared.names import MAX_FLOW_OUTPUT_BYTES, MAX_OUTPUT_BYTES, TERMINATED_AT
from shared.resource_steps.allowed import names_of

_POLL: Final = 5.0  # seconds between checks whether the API server serves a kind


class ResourceType(ChildType):
    """Objects of other kinds. They are stopped by the step's patch, or deleted."""

    invalid = reasons.INVALID_RESOURCE

    @property
    def parsers(self) -> Mapping[Kind, Parser]:
        """None: the kinds are a setting (controller/jobflow/observe/child_cache.py)."""
        return {}

    def makes(self, step: Step) -> bool:
        return step.resource is not None

    def kind_of(self, context: FlowContext, step: Step) -> Kind:
        return _allowed(context, step) or Kind(*_type_meta(step), "")

    def missing(self, context: FlowContext, step: Step) -> GateResult | None:
        kind = _allowed(context, step)
        if kind is None:
            said = f"steps may not create {' '.join(_type_meta(step))} in this namespace; allowed: {names_of(context.observed.resource_kinds)}"
            return fail(reasons.KIND_NOT_ALLOWED, said)
        if refused := without_right(context, kind, step):
            return refused
        if kind not in context.observed.unserved:
            return None
        context.wake_at(context.now + _POLL)
        said = f"the API server does not serve {kind.api_version} {kind.kind} yet: its CRD is not installed"
        return StepWait((said,), reasons.KIND_NOT_FOUND, said)

    def build(self, context: FlowContext, step: Step, name: str, attempt: int, iteration: Iteration | None) -> Body:
        return build_resource(context, step, name, attempt, iteration)

    def obstacle(self, context: FlowContext, body: Body) -> StepWait | None:
        return None

    def stop(self, context: FlowContext, child: ObservedChild) -> Delete | Patch:
        namespace = context.observed.flow.metadata.namespace
        step = context.plan.steps.get(child.step)
        if step is None or step.resource is None or step.resource.terminate is None:
            return Delete(child.kind, namespace, child.name, child.uid, propagation="Foreground")
        operations = [msgspec.to_builtins(operation) for operation in step.resource.terminate.patch]
        mark = {
            "op": "add",
            "path": f"/metadata/annotations/{TERMINATED_AT.replace('/', '~1')}",
            "value": context.now_text,
        }
        return Patch(child.kind, namespace, child.name, [*operations, mark], child.uid)

    def stop_name(self, child: ObservedChild) -> str:
        return child.name

    def reads_pods(self, step: Step, child: ObservedChild) -> bool:
        return False

    def outputs(self, context: FlowContext, step: Step, child: ObservedChild, used: int) -> dict[str, str]:
        for output in step.outputs:
            value = child.outputs.get(output.name)
            if value is None:
                raise MissingOutput(
                    f'output "{output.name}": its expression has no value on {child.kind.kind} {child.name}'
                )
            if len(value.encode()) > MAX_OUTPUT_BYTES:
                raise MissingOutput(f'output "{output.name}" has more than {MAX_OUTPUT_BYTES} bytes')
        values = {output.name: child.outputs[output.name] for output in step.outputs}
        if used + size(values.values()) > MAX_FLOW_OUTPUT_BYTES:
            raise MissingOutput(f"the flow's outputs would take more than {MAX_FLOW_OUTPUT_BYTES} bytes")
        return values

    def available(self, context: FlowContext, step: Step, child: ObservedChild, used: int) -> dict[str, str]:
        values = {name: text for name, text in child.outputs.items() if len(text.encode()) <= MAX_OUTPUT_BYTES}
        return values if used + size(values.values()) <= MAX_FLOW_OUTPUT_BYTES else {}


def _type_meta(step: Step) -> tuple[str, str]:
    """apiVersion and kind of the step's manifest."""
    return step.resource.type_meta if step.resource is not None else ("", "")


def _allowed(context: FlowContext, step: Step) -> Kind | None:
    wanted = _type_meta(step)
    return next((one for one in context.observed.resource_kinds if (one.api_version, one.kind) == wanted), None)
