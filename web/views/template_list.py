"""JobTemplates and JobFlowTemplates, with who uses them. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from shared.kinds import CRONJOBFLOW, JOBFLOW
from shared.model.types import Body
from shared.names import FLOW_TEMPLATE
from shared.timestamp import epoch_or_none

SHOWN: Final = 5


class TemplateUse(msgspec.Struct, frozen=True):
    """`kind`: the plural of who uses the template."""

    plural: str
    namespace: str
    name: str


class TemplateRow(msgspec.Struct, frozen=True):
    """`summary`: its tasks, or its params; `uses`: some of them; `used`: all of them."""

    plural: str
    namespace: str
    name: str
    summary: str
    uses: tuple[TemplateUse, ...]
    used: int
    created: float | None


def job_templates(bodies: Iterable[Body], uses: Iterable[tuple[TemplateUse, Sequence[str]]]) -> tuple[TemplateRow, ...]:
    """`uses`: flows with the names of the templates that their steps name."""
    found: dict[tuple[str, str], list[TemplateUse]] = {}
    for use, names in uses:
        for name in names:
            found.setdefault((use.namespace, name), []).append(use)
    return tuple(_row(body, "jobtemplates", _tasks(body), found) for body in _ordered(bodies))


def flow_templates(
    bodies: Iterable[Body], schedules: Iterable[Body], flows: Iterable[Body], most: int = SHOWN
) -> tuple[TemplateRow, ...]:
    """Used by CronJobFlows that name them, and by flows that were made from them. `most`: uses of a row."""
    found: dict[tuple[str, str], list[TemplateUse]] = {}
    for schedule in schedules:
        if name := ((schedule.get("spec") or {}).get("template") or {}).get("name"):
            _note(found, schedule, str(name), CRONJOBFLOW.plural)
    for flow in flows:
        if name := (flow["metadata"].get("annotations") or {}).get(FLOW_TEMPLATE):
            _note(found, flow, str(name), JOBFLOW.plural)
    return tuple(_row(body, "jobflowtemplates", _params(body), found, most) for body in _ordered(bodies))


def _note(found: dict[tuple[str, str], list[TemplateUse]], body: Body, template: str, plural: str) -> None:
    metadata = body["metadata"]
    use = TemplateUse(plural, str(metadata.get("namespace") or ""), str(metadata["name"]))
    found.setdefault((use.namespace, template), []).append(use)


def _row(
    body: Body, plural: str, summary: str, found: dict[tuple[str, str], list[TemplateUse]], most: int = SHOWN
) -> TemplateRow:
    metadata = body["metadata"]
    namespace, name = str(metadata.get("namespace") or ""), str(metadata["name"])
    uses = found.get((namespace, name), [])
    created = epoch_or_none(metadata.get("creationTimestamp"))
    return TemplateRow(plural, namespace, name, summary, tuple(uses[:most]), len(uses), created)


def _tasks(body: Body) -> str:
    """`2 x worker, 1 x ps`."""
    tasks = (body.get("spec") or {}).get("tasks") or ()
    return ", ".join(f"{task.get('replicas', 1)} × {task.get('name') or 'default'}" for task in tasks)


def _params(body: Body) -> str:
    spec = body.get("spec") or {}
    steps = len((spec.get("flow") or {}).get("flows") or ())
    names = ", ".join(str(param.get("name")) for param in spec.get("params") or ())
    return f"{steps} step{'s' if steps != 1 else ''}" + (f"; params {names}" if names else "")


def _ordered(bodies: Iterable[Body]) -> list[Body]:
    return sorted(bodies, key=lambda body: (str(body["metadata"].get("namespace")), str(body["metadata"]["name"])))
