"""Rules of steps with `flow`, which run a flow instead of a Job."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import msgspec

from shared import kinds
from shared.codec.api_words import in_api_words, split_place
from shared.crd.schema import kind_schema
from shared.crd.unknown import unknown_fields
from shared.graphs.nesting import inline_spec, nesting_faults, read_spec
from shared.model.flow import JobFlow, JobFlowSpec
from shared.model.schedules.flow_template import JobFlowTemplateSpec
from shared.model.step import SubFlow
from shared.params import param_faults
from shared.violation import Reason, Violation
from webhook.hints.names import did_you_mean, identifier_fault, subdomain_fault
from webhook.subject.subjects import FlowSubject

_NOT_WITH_FLOW: Final[tuple[tuple[str, str, Any, str], ...]] = (
    ("template", "template", "", "name a JobFlowTemplate in flow.template"),
    ("patch", "patch", None, "give the flow params in flow.params"),
    ("switch", "switch", None, "a switch runs nothing"),
)
_MOST: Final = 20  # unknown fields that are reported


def sub_flow_has_one_source(flow: FlowSubject) -> Iterator[Violation]:
    for path, found in _sub_flows(flow):
        if not found.template and found.spec is None:
            message = "name a JobFlowTemplate in template, or write the flow in spec"
            yield Violation(path, message, reason=Reason.REQUIRED)
        elif found.template and found.spec is not None:
            yield Violation(f"{path}.spec", "may not be set beside template", reason=Reason.FORBIDDEN)
        if found.template and (fault := subdomain_fault(found.template)):
            yield Violation(f"{path}.template", fault, found.template)


def sub_flow_steps_make_no_jobs(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        if step.flow is None:
            continue
        for field, attribute, absent, remedy in _NOT_WITH_FLOW:
            if getattr(step, attribute) != absent:
                message = f"a step with flow makes no Job: remove {field}; {remedy}"
                yield Violation(f"{path}.{field}", message, reason=Reason.FORBIDDEN)
        for index, output in enumerate(step.outputs):
            for field, value in (("task", output.task), ("container", output.container)):
                if value:
                    message = (
                        "a step with flow takes outputs of the flow: give name, and key if the flow names it otherwise"
                    )
                    yield Violation(f"{path}.outputs[{index}].{field}", message, reason=Reason.FORBIDDEN)


def sub_flow_specs_match_the_schema(flow: FlowSubject) -> Iterator[Violation]:
    """The API server keeps the spec of a written-out flow as it is, so that it is checked here."""
    for path, found in _sub_flows(flow):
        if found.spec is None:
            continue
        try:
            msgspec.convert(found.spec, JobFlowSpec)
        except (msgspec.ValidationError, RecursionError) as error:
            message, place = split_place(str(error))
            yield Violation(f"{path}.spec{place}", in_api_words(message))
            continue
        for number, (place, name, known) in enumerate(unknown_fields(found.spec, _schema(), f"{path}.spec")):
            if number >= _MOST:
                return
            hint = did_you_mean(name, known) or f"; known here: {', '.join(known[:12])}"
            yield Violation(place, f"unknown field{hint}", reason=Reason.FORBIDDEN)


def sub_flows_end(flow: FlowSubject) -> Iterator[Violation]:
    """JobFlowTemplates do not run each other in a cycle, and flows are not nested too deeply."""

    def template(name: str) -> JobFlowSpec | None:
        if flow.template_name and name == flow.template_name:
            return flow.spec
        return read_spec(flow.lookups.get(kinds.JOBFLOWTEMPLATE, flow.namespace, name))

    if flow.nested:
        return
    for fault in nesting_faults(flow.spec, template, flow.template_name):
        yield Violation(f"spec.{fault.path}.flow", fault.message, reason=Reason.FORBIDDEN)


def sub_flow_params_are_params(flow: FlowSubject) -> Iterator[Violation]:
    """Values with placeholders are judged when the flow is created."""
    for path, found in _sub_flows(flow):
        for name in found.params:
            if fault := identifier_fault(name):
                yield Violation(f"{path}.params[{name}]", fault, name)
        inner, template = inline_spec(found), _template(flow, found)
        if inner is not None:
            known = [param.name for param in inner.params]
            for name in sorted(found.params.keys() - set(known)):
                message = f"the flow has no such param: add it to spec.params{did_you_mean(name, known)}"
                yield Violation(f"{path}.params[{name}]", message, name)
        if template is not None:
            own = {param.name for param in template.flow.params} - {param.name for param in template.params}
            for name, fault in param_faults(template.params, _closed(found, own)):
                if name not in found.params or "$(" not in found.params[name]:
                    yield Violation(f"{path}.params", f'param "{name}" {fault}', found.params.get(name))


def sub_flow_outputs_exist(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        inner, template = inline_spec(step.flow), _template(flow, step.flow)
        if inner is None and template is None:
            continue
        known = [output.name for output in inner.outputs] if inner is not None else []
        known += [output.name for output in (*template.flow.outputs, *template.outputs)] if template is not None else []
        for index, output in enumerate(step.outputs):
            wanted, field = (output.key, "key") if output.key else (output.name, "name")
            if wanted not in known:
                has = f"; it has {', '.join(known[:10])}" if known else "; it has none"
                message = f"the flow has no such output{did_you_mean(wanted, known) or has}"
                yield Violation(f"{path}.outputs[{index}].{field}", message, wanted)


def flow_templates_not_found_yet(flow: FlowSubject) -> Iterator[str]:
    if not flow.lookups.complete:
        return
    names = dict.fromkeys(found.template for _, found in _sub_flows(flow) if found.template)
    for name in names:
        missing = flow.lookups.get(kinds.JOBFLOWTEMPLATE, flow.namespace, name) is None
        if missing and name != flow.template_name:
            yield f'JobFlowTemplate "{name}" does not exist yet; its steps wait for it'


def _sub_flows(flow: FlowSubject) -> Iterator[tuple[str, SubFlow]]:
    for path, step in flow.special:
        if step.flow is not None:
            yield f"{path}.flow", step.flow


def _template(flow: FlowSubject, found: SubFlow | None) -> JobFlowTemplateSpec | None:
    if found is None or not found.template:
        return None
    body = flow.lookups.get(kinds.JOBFLOWTEMPLATE, flow.namespace, found.template)
    try:
        return None if body is None else msgspec.convert(body.get("spec"), JobFlowTemplateSpec)
    except msgspec.ValidationError:
        return None


def _closed(found: SubFlow, own: set[str]) -> list[tuple[str, str]]:
    """The params that the template declares, or should."""
    return [(name, value) for name, value in found.params.items() if name not in own]


@cache
def _schema() -> dict[str, Any]:
    spec: dict[str, Any] = kind_schema(JobFlow)["properties"]["spec"]
    return spec
