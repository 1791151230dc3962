"""Outputs of a flow: their names, and expressions over the ended flow."""

from collections.abc import Iterator

from shared.expressions import Program, ResultType, compile_expression, flow_scope
from shared.model.flow import FlowOutput
from shared.violation import Reason, Violation
from webhook.hints.names import identifier_fault
from webhook.subject.subjects import FlowSubject


def flow_outputs_have_names(flow: FlowSubject) -> Iterator[Violation]:
    yield from output_name_faults("spec.outputs", flow.spec.outputs)


def flow_outputs_compile(flow: FlowSubject) -> Iterator[Violation]:
    yield from output_expression_faults("spec.outputs", flow.spec.outputs, flow)


def output_name_faults(path: str, outputs: tuple[FlowOutput, ...]) -> Iterator[Violation]:
    """Names that no expression can use, and names given twice."""
    seen: set[str] = set()
    for index, output in enumerate(outputs):
        if fault := identifier_fault(output.name):
            yield Violation(f"{path}[{index}].name", fault, output.name)
        elif output.name in seen:
            yield Violation(f"{path}[{index}].name", "another output has this name", output.name, Reason.DUPLICATE)
        seen.add(output.name)


def output_expression_faults(path: str, outputs: tuple[FlowOutput, ...], flow: FlowSubject) -> Iterator[Violation]:
    """Expressions that do not compile. They may read every step of `flows`, since all have ended."""
    if not outputs:
        return
    params = tuple(param.name for param in flow.spec.params)
    scope = flow_scope(flow.sorted_names, flow.flow_names, flow.outputs, params)
    for index, output in enumerate(outputs):
        compiled = compile_expression(output.expression, scope, ResultType.VALUE)
        if not isinstance(compiled, Program):
            for problem in compiled:
                yield Violation(f"{path}[{index}].expression", str(problem), output.expression)
