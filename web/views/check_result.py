"""The result of the page Check: the verdict of the webhook's rules, the graphs, the Jobs. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from controller.jobflow.render import FlowRenderer, RenderError
from drawing.flow_view import Unreadable
from drawing.graph_model import Drawing, Undrawable, drawing
from drawing.layers import Layers
from drawing.parts import Choice, chosen
from shared.kinds import JOBFLOW, JOBFLOWPOLICY, JOBTEMPLATE, Kind
from shared.model.types import Body
from shared.policy import CompiledPolicy, compile_policy
from webhook.lint.check import Finding, Report, check
from webhook.lint.manifests import Manifest, manifests

FILE: Final = "your text"
JOBS_OF_A_STEP: Final = 3
JOBS: Final = 60
FINDINGS: Final = 300


class Excerpt(msgspec.Struct, frozen=True):
    """A line of the text; `marked`: the finding is about it."""

    number: int
    text: str
    marked: bool


class Marked(msgspec.Struct, frozen=True):
    """A finding with the lines around it."""

    finding: Finding
    lines: tuple[Excerpt, ...]


class CheckedFlow(msgspec.Struct, frozen=True):
    """`picture`: None where `fault` says why there is none; `jobs`: name and object; `notes`: Jobs that cannot be
    rendered."""

    name: str
    picture: Drawing | Layers | None
    fault: str
    jobs: tuple[tuple[str, Body], ...]
    notes: tuple[str, ...]
    more: int = 0


class CheckResult(msgspec.Struct, frozen=True):
    report: Report
    findings: tuple[Marked, ...]
    flows: tuple[CheckedFlow, ...]

    @property
    def warnings(self) -> int:
        return len(self.report.findings) - self.report.errors


class ClusterObjects(msgspec.Struct, frozen=True):
    """What the cluster has, as far as the reader may see it. `exceptions`: of the namespace; `labels`: of the namespace;
    None if unknown."""

    policies: tuple[Body, ...] = ()
    exceptions: tuple[Body, ...] = ()
    templates: Mapping[str, Body] = {}
    labels: Mapping[str, str] | None = None


def checked(text: str, namespace: str, cluster: ClusterObjects, now: float | None = None) -> CheckResult:
    """`namespace`: of objects that name none; `now`: epoch seconds, None if unknown: then no exception has effect."""
    given = list(manifests(FILE, text))
    objects = [each for each in given if isinstance(each, Manifest)]
    pasted = [
        each.body for each in _of(objects, JOBFLOWPOLICY) if isinstance(compile_policy(each.body), CompiledPolicy)
    ]
    labels = None if cluster.labels is None else dict(cluster.labels)
    policies = [*_others(cluster.policies, pasted), *pasted]
    report = check(given, policies, namespace, labels, exceptions=cluster.exceptions, now=now)
    templates = {**cluster.templates, **{_name(each.body): each.body for each in _of(objects, JOBTEMPLATE)}}
    lines = text.splitlines()
    return CheckResult(
        report=report,
        findings=tuple(Marked(each, tuple(_around(lines, each.line))) for each in report.findings[:FINDINGS]),
        flows=tuple(_flow(each.body, namespace, templates) for each in _of(objects, JOBFLOW)),
    )


def _of(objects: Iterable[Manifest], kind: Kind) -> Iterator[Manifest]:
    wanted = (kind.api_version, kind.kind)
    return (each for each in objects if (each.body.get("apiVersion"), each.body.get("kind")) == wanted)


def _others(policies: Iterable[Body], pasted: Sequence[Body]) -> Iterator[Body]:
    """Policies of the cluster that the text does not replace."""
    replaced = {_name(each) for each in pasted}
    return (each for each in policies if _name(each) not in replaced)


def _name(body: Body) -> str:
    metadata = body.get("metadata")
    return str((metadata if isinstance(metadata, dict) else {}).get("name") or "")


def _around(lines: Sequence[str], number: int) -> Iterator[Excerpt]:
    for place in range(max(number - 2, 1), min(number + 1, len(lines)) + 1):
        yield Excerpt(place, lines[place - 1][:300], place == number)


def _flow(body: Body, namespace: str, templates: Mapping[str, Body]) -> CheckedFlow:
    metadata = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    name = _name(body) or str((metadata or {}).get("generateName") or "unnamed")
    placed = {**body, "metadata": {"namespace": namespace, **(metadata or {}), "name": name}}
    picture, fault = _picture(placed)
    jobs, notes, more = _jobs(placed, templates)
    return CheckedFlow(name, picture, fault, tuple((_name(job), _shown(job)) for job in jobs), tuple(notes), more)


def _jobs(flow: Body, templates: Mapping[str, Body]) -> tuple[list[Body], list[str], int]:
    """The first Jobs of each step, why others cannot be rendered, and how many more there are."""
    jobs: list[Body] = []
    notes: list[str] = []
    more = 0
    try:
        renderer = FlowRenderer(flow, templates, {})
    except RenderError as error:
        return [], [str(error)], 0
    for step in renderer.steps():
        try:
            made = list(renderer.objects(step))
        except RenderError as error:
            notes.append(str(error))
            continue
        kept = made[: min(JOBS_OF_A_STEP, max(JOBS - len(jobs), 0))]
        jobs += kept
        more += len(made) - len(kept)
    return jobs, notes, more


def _picture(body: Body) -> tuple[Drawing | Layers | None, str]:
    try:
        return chosen(drawing(body, live=False), Choice()), ""
    except (Unreadable, Undrawable) as fault:
        return None, str(fault)


def _shown(job: Body) -> Body:
    """Without the owner, which a flow in a text does not have yet."""
    metadata = {key: value for key, value in job["metadata"].items() if key != "ownerReferences"}
    return {"apiVersion": job.get("apiVersion"), "kind": job.get("kind"), "metadata": metadata, "spec": job.get("spec")}
