"""Writes into an object which kinds its steps with `resource` may create (shared/resource_steps/rights.py).

Whether the sender may create them is not judged here but by the chart's ValidatingAdmissionPolicy, which runs afterwards.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from shared import kinds
from shared.graphs.nesting import read_spec
from shared.kinds import Kind
from shared.model.flow import JobFlowSpec
from shared.model.phases import FlowAction
from shared.model.types import Body
from shared.names import RESOURCE_KINDS
from shared.resource_steps.rights import NO_CLAIM, Claim, claim_of, read_claim, templates_in, write_claim
from webhook.envelope.patch import Setting
from webhook.envelope.review import AdmissionReview
from webhook.subject.lookups import Lookups, MissingObject
from webhook.subject.subjects import body_or_empty
from webhook.verdict.kind_admission import AdmissionOptions

_STARTS_AGAIN: Final = (FlowAction.RETRY, FlowAction.RESTART)


def with_claim(review: AdmissionReview, lookups: Lookups, options: AdmissionOptions) -> Iterator[Setting]:
    """The annotation with the claim, if the object lacks part of it.

    The controller itself gets none, because it has the rights on these kinds anyway.
    """
    if not _claims(review, options) or review.object is None:
        return
    needed, given = _needed(review, review.object, lookups, options), read_claim(_annotations(review.object))
    if not needed <= given:
        yield Setting(("metadata", "annotations", RESOURCE_KINDS), write_claim(needed | given))


def missing_sources(review: AdmissionReview, lookups: Lookups, options: AdmissionOptions) -> tuple[MissingObject, ...]:
    """The objects that decide about the claim and that the lookups do not contain."""
    if not _claims(review, options) or review.object is None:
        return ()
    wanted = [(kind, name) for kind, name in _sources(review, review.object, lookups) if name]
    return tuple(
        MissingObject(kind, review.namespace, name)
        for kind, name in dict.fromkeys(wanted)
        if lookups.get(kind, review.namespace, name) is None
    )


def _claims(review: AdmissionReview, options: AdmissionOptions) -> bool:
    named = (review.kind.group, review.kind.kind)
    ours = not options.controller_user or review.user_info.username != options.controller_user
    return bool(options.resource_kinds) and ours and (named in _FLOWS or named in _REFERENCES)


def _needed(review: AdmissionReview, body: Body, lookups: Lookups, options: AdmissionOptions) -> Claim:
    named = (review.kind.group, review.kind.kind)
    if named in _REFERENCES:
        kind, name = _REFERENCES[named](body)
        return read_claim(_annotations(lookups.get(kind, review.namespace, name) if name else None))
    spec, templates = _FLOWS[named](body, _templates(review, lookups)), _templates(review, lookups)
    return NO_CLAIM if spec is None else claim_of(spec, options.resource_kinds or (), templates)


def _sources(review: AdmissionReview, body: Body, lookups: Lookups) -> Iterator[tuple[Kind, str]]:
    named = (review.kind.group, review.kind.kind)
    if named in _REFERENCES:
        kind, name = _REFERENCES[named](body)
        if kind == kinds.JOBFLOW:  # a backfill of a schedule that is not known yet is refused anyway
            yield kind, name
        return
    if named == _CRON:
        yield kinds.JOBFLOWTEMPLATE, _template_name(body)
    templates = _templates(review, lookups)
    spec = _FLOWS[named](body, templates)
    for name in sorted(templates_in(spec, templates)) if spec is not None else ():
        yield kinds.JOBFLOWTEMPLATE, name


def _templates(review: AdmissionReview, lookups: Lookups) -> Callable[[str], JobFlowSpec | None]:
    return lambda name: read_spec(lookups.get(kinds.JOBFLOWTEMPLATE, review.namespace, name))


def _flow(body: Body, templates: Callable[[str], JobFlowSpec | None]) -> JobFlowSpec | None:
    return _read(body.get("spec")) if _runs_or_creates(body.get("spec")) else None


def _runs_or_creates(spec: object) -> bool:
    """Whether a step runs a flow or creates an object. Else there is nothing to claim, and the spec need not be read."""
    fields = [body_or_empty(spec).get(field) for field in ("flows", "finally")]
    steps = [step for field in fields if isinstance(field, list) for step in field if isinstance(step, dict)]
    return any([True for step in steps if "resource" in step or "flow" in step])  # noqa: C419 - twice as fast as a generator


def _flow_of_template(body: Body, templates: Callable[[str], JobFlowSpec | None]) -> JobFlowSpec | None:
    return read_spec(body)


def _flow_of_cron(body: Body, templates: Callable[[str], JobFlowSpec | None]) -> JobFlowSpec | None:
    name = _template_name(body)
    inline = body_or_empty(body_or_empty(body.get("spec")).get("jobFlowTemplate"))
    return templates(name) if name else _read(inline.get("spec"))


def _read(raw: object) -> JobFlowSpec | None:
    try:
        return msgspec.convert(raw, JobFlowSpec)
    except (msgspec.ValidationError, RecursionError):
        return None


def _template_name(body: Body) -> str:
    return str(body_or_empty(body_or_empty(body.get("spec")).get("template")).get("name") or "")


def _schedule_of_backfill(body: Body) -> tuple[Kind, str]:
    return kinds.CRONJOBFLOW, str(body_or_empty(body.get("spec")).get("cronJobFlow") or "")


def _flow_of_command(body: Body) -> tuple[Kind, str]:
    """The flow whose steps a Command starts again; "" for other Commands."""
    target = body_or_empty(body.get("target"))
    starts = body.get("action") in _STARTS_AGAIN and target.get("kind") == kinds.JOBFLOW.kind
    return kinds.JOBFLOW, str(target.get("name") or "") if starts else ""


def _annotations(body: Body | None) -> Body:
    return body_or_empty(body_or_empty((body or {}).get("metadata")).get("annotations"))


def _named(kind: Kind) -> tuple[str, str]:
    return kind.group, kind.kind


_CRON: Final = _named(kinds.CRONJOBFLOW)
_FLOWS: Final[Mapping[tuple[str, str], Callable[..., JobFlowSpec | None]]] = {
    _named(kinds.JOBFLOW): _flow,
    _named(kinds.JOBFLOWTEMPLATE): _flow_of_template,
    _CRON: _flow_of_cron,
}
_REFERENCES: Final[Mapping[tuple[str, str], Callable[[Body], tuple[Kind, str]]]] = {
    _named(kinds.CRONJOBFLOWBACKFILL): _schedule_of_backfill,
    _named(kinds.COMMAND): _flow_of_command,
}
