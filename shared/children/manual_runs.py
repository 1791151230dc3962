"""Builds what a person starts by hand: a flow of a template, the flow or Job of a schedule, a backfill. Pure."""

from collections.abc import Mapping

import msgspec

from shared.children.scheduled_flows import flow_for
from shared.kinds import CRONJOBFLOWBACKFILL, JOBFLOW
from shared.model.schedules.flow_template import JobFlowTemplateSpec
from shared.model.types import Body
from shared.names import FLOW_TEMPLATE
from shared.params import MissingParam, param_faults, templated_spec


class UnfitParams(ValueError):
    """Values that a template does not allow, or does not have. The text names all of them."""


def template_flow(template: Body, values: Mapping[str, str]) -> Body:
    """A JobFlow of the template with a generated name. Raises UnfitParams."""
    given = [{"name": name, "value": value} for name, value in values.items()]
    _check(template, values)
    try:
        flow = templated_spec(template, given)
    except MissingParam as error:
        raise UnfitParams(str(error)) from error
    name = str(template["metadata"]["name"])[:57]
    return {
        "apiVersion": JOBFLOW.api_version,
        "kind": JOBFLOW.kind,
        "metadata": {"generateName": f"{name}-", "annotations": {FLOW_TEMPLATE: template["metadata"]["name"]}},
        "spec": flow,
    }


def flow_now(cron: Body, template: Body | None, values: Mapping[str, str], now: float) -> Body:
    """The flow of a CronJobFlow for this moment. `template`: the JobFlowTemplate that it names; `values`: override the
    params of the schedule. Raises UnfitParams."""
    own = {str(param["name"]): str(param.get("value", "")) for param in cron["spec"].get("params") or ()}
    given = {**own, **values}
    params = [{"name": name, "value": value} for name, value in given.items()]
    asked = {**cron, "spec": {**cron["spec"], "params": params}}
    try:
        body = flow_for(asked, template, int(now), None)
    except MissingParam as error:
        raise UnfitParams(str(error)) from error
    if template is not None:
        _check(template, {param["name"]: param["value"] for param in body["spec"].get("params") or ()})
    return by_hand(body, cron)


def by_hand(child: Body, cron: Body) -> Body:
    """The child with a generated name and without an owner, so that the schedule neither counts nor deletes it."""
    metadata = {key: value for key, value in child["metadata"].items() if key not in ("name", "ownerReferences")}
    return {**child, "metadata": {**metadata, "generateName": f"{cron['metadata']['name'][:40]}-manual-"}}


def backfill_of(cron: str, start: str, end: str, parallelism: int | None, reprocess: str | None) -> Body:
    """A CronJobFlowBackfill with a generated name. `cron`: a CronJobFlow; `start` and `end`: RFC 3339."""
    spec = {"cronJobFlow": cron, "from": start, "to": end, "parallelism": parallelism, "reprocess": reprocess}
    return {
        "apiVersion": CRONJOBFLOWBACKFILL.api_version,
        "kind": CRONJOBFLOWBACKFILL.kind,
        "metadata": {"generateName": f"{cron[:12]}-"},
        "spec": spec,
    }


def _check(template: Body, values: Mapping[str, str]) -> None:
    """Raises UnfitParams with every value that the template does not allow and every param that has no value."""
    spec = msgspec.convert(template["spec"], JobFlowTemplateSpec)
    own = {param.name for param in spec.flow.params} - {param.name for param in spec.params}
    faults = param_faults(spec.params, [(name, value) for name, value in values.items() if name not in own])
    if faults:
        raise UnfitParams("; ".join(f"param {name} {fault}" for name, fault in faults))
