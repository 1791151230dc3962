"""The JobFlow that a step runs: a template's or the one written out, with the step's params."""

import msgspec

from controller.jobflow import reasons
from controller.jobflow.children.child_type import BuildFault
from controller.jobflow.children.granted_kinds import claim_below
from controller.jobflow.children.metadata import child_metadata, substituted, values_of
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import GateResult, StepWait, fail
from shared.graphs.nesting import MAX_LEVELS
from shared.kinds import JOBFLOW
from shared.model.schedules.flow_template import TemplateParam
from shared.model.step import Step, SubFlow
from shared.model.types import Body
from shared.names import CREATOR, FLOW_TEMPLATE
from shared.params import MissingParam, param_faults, templated_spec
from shared.substitution import lookup_in

_NOT_KEPT = "ttlSecondsAfterFinished"  # the flow above keeps and deletes its sub-flows


def flow_missing(context: FlowContext, step: Step) -> GateResult | None:
    """A step waits for a template that does not exist. A flow that would run itself, or that is nested too deeply,
    ends the step."""
    if fault := _nesting_fault(context, step):
        return fail(*fault)
    template = step.flow.template if step.flow else ""
    if not template or template in context.observed.flow_templates:
        return None
    said = f"JobFlowTemplate {template} not found"
    return StepWait((said,), reasons.TEMPLATE_NOT_FOUND, said)


def build_flow(context: FlowContext, step: Step, name: str, attempt: int, iteration: Iteration | None) -> Body:
    """The JobFlow `name` of a step. Raises BuildFault."""
    if step.flow is None:
        raise BuildFault(reasons.INVALID_SPEC, "the step runs no flow")
    own = {FLOW_TEMPLATE: step.flow.template} if step.flow.template else {}
    template = context.observed.flow_templates[step.flow.template] if step.flow.template else None
    creator = context.observed.flow.metadata.annotations.get(CREATOR, "")
    return {
        "apiVersion": JOBFLOW.api_version,
        "kind": JOBFLOW.kind,
        "metadata": child_metadata(
            context,
            step,
            name,
            attempt,
            iteration,
            labels={},
            annotations=own | ({CREATOR: creator} if creator else {}) | claim_below(context, template),
        ),
        "spec": _flow_spec(context, step, step.flow, iteration),
    }


def _nesting_fault(context: FlowContext, step: Step) -> tuple[str, str] | None:
    """Why the step's flow may not run below the flows that it is part of: a reason and a message.

    The webhook refuses such flows; a template may have changed since, or the flow was stored without the webhook.
    """
    parents = context.observed.parents
    levels = len(parents) + 2
    if levels > MAX_LEVELS:
        said = f"its flow would be level {levels} of flows within flows: at most {MAX_LEVELS} are allowed"
        return reasons.TOO_DEEP, said
    own = (context.observed.flow.metadata.annotations or {}).get(FLOW_TEMPLATE, "")
    line = [name for name in (own, *(parent.template for parent in parents)) if name]
    template = step.flow.template if step.flow else ""
    if template in line:
        path = (template, *reversed(line[: line.index(template)]), template)
        return reasons.TEMPLATE_CYCLE, f"JobFlowTemplates run each other in a cycle: {' -> '.join(path)}"
    return None


def _flow_spec(context: FlowContext, step: Step, flow: SubFlow, iteration: Iteration | None) -> Body:
    """The spec. Raises BuildFault."""
    lookup = lookup_in(values_of(context, step, iteration))
    values = substituted(dict(flow.params), lookup, "flow.params")
    given = [{"name": name, "value": value} for name, value in values.items()]
    if flow.template:
        source = context.observed.flow_templates[flow.template]
        _check(source, values)
    else:
        source = {"spec": {"flow": flow.spec or {}}}
    try:
        spec = templated_spec(source, given)
    except MissingParam as missing:
        raise BuildFault(reasons.INVALID_SPEC, f"flow.params: {missing}") from missing
    return {name: value for name, value in spec.items() if name != _NOT_KEPT}


def _check(template: Body, values: dict[str, str]) -> None:
    """Raises BuildFault for params that the template does not allow."""
    spec = template["spec"]
    try:
        declared = msgspec.convert(spec.get("params") or (), tuple[TemplateParam, ...])
    except msgspec.ValidationError as fault:
        raise BuildFault(reasons.INVALID_SPEC, f"JobFlowTemplate: spec.params: {fault}") from fault
    own = {param["name"] for param in (spec.get("flow") or {}).get("params") or ()} - {one.name for one in declared}
    given = [(name, value) for name, value in values.items() if name not in own]
    if faults := param_faults(declared, given):
        said = "; ".join(f'param "{name}" {fault}' for name, fault in faults[:5])
        raise BuildFault(reasons.INVALID_SPEC, f"flow.params: {said}")
