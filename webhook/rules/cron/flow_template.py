"""Rules of JobFlowTemplate: its params; the rules of JobFlows validate its flow."""

from collections.abc import Iterator

from shared.params import pattern_fault, value_fault
from shared.violation import Reason, Violation
from webhook.rules.flow.flow_outputs import output_expression_faults, output_name_faults
from webhook.subject.cron_subjects import FlowTemplateSubject


def template_params_are_declared_once(template: FlowTemplateSubject) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, param in enumerate(template.spec.params):
        if param.name in seen:
            yield Violation(f"spec.params[{index}].name", "declared twice", param.name, Reason.DUPLICATE)
        seen.add(param.name)


def template_patterns_are_patterns(template: FlowTemplateSubject) -> Iterator[Violation]:
    for index, param in enumerate(template.spec.params):
        if param.pattern and (fault := pattern_fault(param.pattern)):
            yield Violation(f"spec.params[{index}].pattern", f"not an RE2 pattern: {fault}", param.pattern)


def template_defaults_are_allowed(template: FlowTemplateSubject) -> Iterator[Violation]:
    for index, param in enumerate(template.spec.params):
        if param.default is None or (param.pattern and pattern_fault(param.pattern)):
            continue
        if fault := value_fault(param, param.default):
            yield Violation(f"spec.params[{index}].default", fault, param.default)


def required_params_have_no_default(template: FlowTemplateSubject) -> Iterator[Violation]:
    for index, param in enumerate(template.spec.params):
        if param.required and param.default is not None:
            message = "a required param cannot have a default; remove required or default"
            yield Violation(f"spec.params[{index}].default", message, param.default)


def template_outputs_have_names(template: FlowTemplateSubject) -> Iterator[Violation]:
    yield from output_name_faults("spec.outputs", template.spec.outputs)


def template_outputs_compile(template: FlowTemplateSubject) -> Iterator[Violation]:
    if template.flow is not None:
        yield from output_expression_faults("spec.outputs", template.spec.outputs, template.flow)
