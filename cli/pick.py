"""Selects the object that a command means from those in the files. Pure."""

from collections.abc import Iterable, Sequence

from cli.exits import CliError, Exit
from drawing.nested import with_written_flows
from shared.kinds import JOBFLOW, JOBFLOWTEMPLATE, Kind
from shared.model.types import Body
from webhook.hints.names import did_you_mean
from webhook.lint.manifests import Manifest


def of_kind(manifests: Iterable[Manifest], kind: Kind) -> list[Body]:
    wanted = (kind.api_version, kind.kind)
    return [each.body for each in manifests if (each.body.get("apiVersion"), each.body.get("kind")) == wanted]


def name_of(body: Body) -> str:
    metadata = body.get("metadata") or {}
    return str(metadata.get("name") or metadata.get("generateName") or "")


def the_flow(manifests: Sequence[Manifest], name: str, where: str) -> Body:
    """The one JobFlow, or the one named. Raises CliError."""
    flows = of_kind(manifests, JOBFLOW)
    if not flows:
        raise CliError(f"{where}: contains no JobFlow of {JOBFLOW.api_version}", Exit.NOT_FOUND)
    names = [name_of(flow) for flow in flows]
    if name:
        if name not in names:
            raise CliError(f'{where}: no JobFlow named "{name}"{did_you_mean(name, names)}', Exit.NOT_FOUND)
        return flows[names.index(name)]
    if len(flows) > 1:
        raise CliError(f"{where}: {len(flows)} JobFlows: {', '.join(names)}", hint="choose one with --flow NAME")
    return flows[0]


def the_opened_flow(manifests: Sequence[Manifest], name: str, where: str) -> Body:
    """The same with the steps of flows within it, as far as the files have their JobFlowTemplates. Raises CliError."""
    templates = {name_of(one): one for one in of_kind(manifests, JOBFLOWTEMPLATE)}
    return with_written_flows(the_flow(manifests, name, where), templates)
