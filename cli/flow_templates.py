"""Builds JobFlows from JobFlowTemplates; the template checks the params of the command line. Pure."""

from collections.abc import Mapping

import msgspec

from cli.exits import CliError, Exit
from shared.kinds import JOBFLOW
from shared.model.schedules.flow_template import JobFlowTemplateSpec
from shared.model.types import Body
from shared.names import FLOW_TEMPLATE
from shared.params import MissingParam, param_faults, templated_spec


def flow_from_template(template: Body, values: Mapping[str, str]) -> Body:
    """A JobFlow of the template with a generated name. Raises CliError."""
    given = [{"name": name, "value": value} for name, value in values.items()]
    check_params(template, values)
    try:
        flow = templated_spec(template, given)
    except MissingParam as error:
        raise CliError(str(error), Exit.NO, "set it with -p NAME=VALUE") from error
    name = str(template["metadata"]["name"])[:57]
    return {
        "apiVersion": JOBFLOW.api_version,
        "kind": JOBFLOW.kind,
        "metadata": {"generateName": f"{name}-", "annotations": {FLOW_TEMPLATE: template["metadata"]["name"]}},
        "spec": flow,
    }


def check_params(template: Body, values: Mapping[str, str]) -> None:
    """Raises CliError with every value that the template does not allow and every param that has no value."""
    spec = msgspec.convert(template["spec"], JobFlowTemplateSpec)
    own = {param.name for param in spec.flow.params} - {param.name for param in spec.params}
    faults = param_faults(spec.params, [(name, value) for name, value in values.items() if name not in own])
    if faults:
        raise CliError(
            "; ".join(f"param {name} {fault}" for name, fault in faults), Exit.NO, "set params with -p NAME=VALUE"
        )
