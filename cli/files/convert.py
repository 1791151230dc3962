"""Converts between Job and JobTemplate, as Volcano documents it. Pure."""

from collections.abc import Iterable
from typing import Final

from shared.kinds import JOB, JOBTEMPLATE, Kind
from shared.model.types import Body
from shared.names import (
    ATTEMPT,
    CREATED_BY_FLOW,
    CREATED_BY_TEMPLATE,
    DEFAULTED,
    FOREIGN_ANNOTATION_PREFIXES,
    ITERATION,
    STEP,
    STEP_DIGEST,
)
from shared.substitution import references_in

_MADE: Final = (CREATED_BY_FLOW, CREATED_BY_TEMPLATE, STEP, STEP_DIGEST, ITERATION, ATTEMPT, DEFAULTED)


def template_from_job(job: Body, name: str = "") -> Body:
    """A JobTemplate with the spec of `job`."""
    return _converted(job, JOBTEMPLATE, name)


def job_from_template(template: Body, name: str = "") -> Body:
    """A Job as flows create it from `template`; placeholders are not replaced."""
    return _converted(template, JOB, name)


def placeholders(body: Body) -> list[str]:
    """The placeholders, which only a flow can replace."""
    return list(dict.fromkeys(reference.text for reference in references_in(body.get("spec") or {}, "spec")))


def fresh_metadata(metadata: Body) -> Body:
    """The labels and annotations that a user wrote, without those of tools and of the flow that created the object."""
    kept: Body = {}
    for field in ("labels", "annotations"):
        found = {key: value for key, value in (metadata.get(field) or {}).items() if not _foreign(key, _MADE)}
        if found:
            kept[field] = found
    return kept


def _converted(body: Body, kind: Kind, name: str) -> Body:
    metadata = body.get("metadata") or {}
    named: Body = (
        {"name": name} if name else {key: metadata[key] for key in ("name", "generateName") if key in metadata}
    )
    where = {"namespace": metadata["namespace"]} if metadata.get("namespace") else {}
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {**named, **where, **fresh_metadata(metadata)},
        "spec": body.get("spec") or {},
    }


def _foreign(key: str, made: Iterable[str]) -> bool:
    return key in made or key.startswith(FOREIGN_ANNOTATION_PREFIXES)
