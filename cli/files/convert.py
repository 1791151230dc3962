"""Converts between Job and JobTemplate, as Volcano documents it. Pure."""

from shared.actions.reruns import fresh_metadata
from shared.kinds import JOB, JOBTEMPLATE, Kind
from shared.model.types import Body
from shared.substitution import references_in


def template_from_job(job: Body, name: str = "") -> Body:
    """A JobTemplate with the spec of `job`."""
    return _converted(job, JOBTEMPLATE, name)


def job_from_template(template: Body, name: str = "") -> Body:
    """A Job as flows create it from `template`; placeholders are not replaced."""
    return _converted(template, JOB, name)


def placeholders(body: Body) -> list[str]:
    """The placeholders, which only a flow can replace."""
    return list(dict.fromkeys(reference.text for reference in references_in(body.get("spec") or {}, "spec")))


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
