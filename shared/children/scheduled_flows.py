"""The JobFlow that a CronJobFlow creates for a due time. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from shared.children.metadata import controller_reference, copied_annotations
from shared.cron import zone
from shared.kinds import CRONJOBFLOW, JOBFLOW
from shared.model.schedules.flow_template import TemplateParam
from shared.model.types import Body
from shared.names import CRON_NAME, CRON_SCHEDULED, FLOW_TEMPLATE, REQUESTED_AT, RESOURCE_KINDS
from shared.naming import label_value, scheduled_name
from shared.params import param_faults, templated_spec
from shared.resource_steps.rights import read_claim, write_claim
from shared.timestamp import rfc3339

PLACEHOLDER: Final = re.compile(r"\$\(schedule\.([A-Za-z]*)\)")
SCHEDULE_VALUES: Final = ("date", "time", "previousTime", "unix")


def flow_for(cron: Body, template: Body | None, due: int, previous: int | None) -> Body:
    """The JobFlow for the time `due`, seconds since 1970. Its name follows from the time, so that it is created once.

    `template`: the JobFlowTemplate if the CronJobFlow names one; `previous`: the newest earlier time that started.
    Raises MissingParam.
    """
    metadata, spec = cron["metadata"], cron["spec"]
    inline = spec.get("jobFlowTemplate") or {}
    given = inline.get("metadata") or {}
    own = [
        {**param, "value": filled(str(param.get("value", "")), spec, due, previous)}
        for param in spec.get("params") or ()
    ]
    source = template or {"spec": {"flow": inline.get("spec") or {}}}
    return {
        "apiVersion": JOBFLOW.api_version,
        "kind": JOBFLOW.kind,
        "metadata": {
            "name": scheduled_name(metadata["name"], due),
            "namespace": metadata["namespace"],
            "labels": {**(given.get("labels") or {}), CRON_NAME: label_value(metadata["name"])},
            "annotations": {
                **copied_annotations(given),
                **_from_template(spec),
                **_claim(cron, template),
                CRON_SCHEDULED: rfc3339(due),
            },
            "ownerReferences": [controller_reference(CRONJOBFLOW, cron)],
        },
        "spec": templated_spec(source, own),
    }


def _from_template(spec: Body) -> dict[str, str]:
    return {FLOW_TEMPLATE: str(spec["template"]["name"])} if spec.get("template") else {}


def _claim(cron: Body, template: Body | None) -> dict[str, str]:
    """The kinds that the flow may create: who wrote the schedule may, and who wrote the template."""
    claim = read_claim(cron["metadata"].get("annotations"))
    if template is not None:
        claim &= read_claim((template.get("metadata") or {}).get("annotations"))
    asked = cron["metadata"].get("creationTimestamp")
    return {RESOURCE_KINDS: write_claim(claim), **({REQUESTED_AT: asked} if asked else {})} if claim else {}


def params_fault(cron: Body, template: Body | None, due: int) -> str:
    """Why the template refuses the params that the schedule gives for the time `due`, or ''."""
    if template is None:
        return ""
    declared = msgspec.convert(template["spec"].get("params") or (), tuple[TemplateParam, ...])
    spec = cron["spec"]
    given = [
        (str(param["name"]), filled(str(param.get("value", "")), spec, due, None)) for param in spec.get("params") or ()
    ]
    return "; ".join(f'param "{name}" {fault}' for name, fault in param_faults(declared, given))


def filled(text: str, spec: Body, due: int, previous: int | None) -> str:
    """`text` with $(schedule.date), .time, .previousTime and .unix replaced; the date is that of the time zone."""
    local = datetime.fromtimestamp(due, zone(spec.get("timeZone") or ""))
    values: Mapping[str, str] = {
        "date": local.date().isoformat(),
        "time": rfc3339(due),
        "previousTime": "" if previous is None else rfc3339(previous),
        "unix": str(due),
    }
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
