"""Decides the conditions of a JobFlowTemplate: `decide(seen, now) -> Decision`. Pure.

The webhook validates templates completely when they are applied. This module checks what can change later: whether the
templates that the steps name exist, and whether a spec that was stored without the webhook is valid.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from controller.decision import Decision
from controller.schedule.conditions import READY, dated, stalled
from shared.codec.api_words import fault_text
from shared.graphs import directed
from shared.kinds import JOBFLOWTEMPLATE, JOBTEMPLATE
from shared.model.schedules.common import Condition
from shared.model.schedules.flow_template import FlowTemplateStatus, JobFlowTemplate
from shared.model.step import flow_template_of, job_template_of, raw_steps
from shared.model.types import Body
from shared.names import INVALID_SPEC
from shared.params import pattern_fault, value_fault
from shared.timestamp import rfc3339

_LISTED: Final = 5


class TemplateSeen(msgspec.Struct, frozen=True):
    """`body`: the JobFlowTemplate; `job_templates`, `flow_templates`: names of the templates that it uses and that
    exist."""

    body: Body
    job_templates: frozenset[str] = frozenset()
    flow_templates: frozenset[str] = frozenset()


def decide(seen: TemplateSeen, now: float) -> Decision:
    """`now`: epoch seconds. The decision has a status only where it differs from the stored one."""
    body = seen.body
    if "deletionTimestamp" in body["metadata"]:
        return Decision()
    generation = int(body["metadata"].get("generation") or 0)
    before = msgspec.convert(body.get("status") or {}, FlowTemplateStatus)
    conditions = dated(_conditions(seen), before.conditions, generation, rfc3339(now))
    status = FlowTemplateStatus(params=_params(body), observed_generation=generation, conditions=conditions)
    return Decision() if status == before else Decision(status=msgspec.json.decode(msgspec.json.encode(status)))


def used_job_templates(body: Body) -> tuple[str, ...]:
    """The names of the JobTemplates that its steps name, as written, with placeholders."""
    return _distinct(job_template_of(step) for step in raw_steps(_flow(body)))


def used_flow_templates(body: Body) -> tuple[str, ...]:
    """The names of the JobFlowTemplates that its steps run as flows."""
    return _distinct(flow_template_of(step) for step in raw_steps(_flow(body)))


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _params(body: Body) -> tuple[str, ...]:
    """The names of the params in one list: kubectl's columns show only the first value of a path below a list."""
    return tuple(str(param.get("name")) for param in (body.get("spec") or {}).get("params") or ())


def _flow(body: Body) -> Body:
    return {"spec": (body.get("spec") or {}).get("flow") or {}}


def _conditions(seen: TemplateSeen) -> tuple[Condition, ...]:
    """Ready; and Stalled where only an edit of the template can help."""
    if faults := list(_faults(seen.body)):
        ready = Condition(type=READY, status="False", reason=INVALID_SPEC, message=_joined(faults))
        return ready, stalled(ready)
    if missing := list(_missing(seen)):
        return (Condition(type=READY, status="False", reason="TemplateNotFound", message=_joined(missing)),)
    return (Condition(type=READY, status="True", reason="Valid", message="flows can be created from the template"),)


def _missing(seen: TemplateSeen) -> Iterator[str]:
    named = (
        (JOBTEMPLATE, used_job_templates(seen.body), seen.job_templates),
        (JOBFLOWTEMPLATE, used_flow_templates(seen.body), seen.flow_templates),
    )
    for kind, names, existing in named:
        for name in names:
            if name not in existing and "$(" not in name:
                yield f'{kind.kind} "{name}" does not exist'


def _faults(body: Body) -> Iterator[str]:
    try:
        spec = msgspec.convert(body, JobFlowTemplate).spec
    except msgspec.ValidationError as error:
        yield fault_text(str(error))
        return
    for param in spec.params:
        if param.pattern and (fault := pattern_fault(param.pattern)):
            yield f"spec.params: the pattern of {param.name}: {fault}"
        elif param.default is not None and (fault := value_fault(param, param.default)):
            yield f"spec.params: the default of {param.name} {fault}"
    if repeated := directed.duplicates(param.name for param in spec.params):
        yield f"spec.params: declared more than once: {', '.join(repeated)}"
    if not spec.flow.flows:
        yield "spec.flow.flows is empty"
    if repeated := directed.duplicates(step.name for step in (*spec.flow.flows, *spec.flow.finally_)):
        yield f"spec.flow.flows: several steps are named {', '.join(repeated)}"
    targets = {step.name: tuple(step.targets) for step in spec.flow.flows}
    for step, _, target in directed.dangling(targets):
        yield f'spec.flow.flows: step {step} waits for "{target}", which is no step'
    if path := directed.cycle(targets):
        yield f"spec.flow.flows: cycle {' -> '.join(path)}"


def _joined(sentences: list[str]) -> str:
    more = len(sentences) - _LISTED
    return "; ".join(sentences[:_LISTED]) + (f"; and {more} more" if more > 0 else "")
