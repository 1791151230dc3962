"""Which kinds a flow may create with `resource`: the claim in an annotation of the object that a person sends.

Nobody gains a right through a flow. The controller creates an object of a kind only for a flow whose annotation claims the
kind, and a ValidatingAdmissionPolicy of the chart lets nobody write a claim, or change what a claim is made for, who may not
create, get and delete such objects. A claim is a set of entries such as `jobs.batch`, and `jobs.batch+patch` if a step
stops its object by a patch. The webhook writes the claim of what an object says; a claim cannot be forged, only be missing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from shared.graphs.nesting import MAX_LEVELS, inline_spec
from shared.kinds import Kind
from shared.model.flow import JobFlowSpec
from shared.model.step import Step
from shared.names import RESOURCE_KINDS
from shared.resource_steps.allowed import AllowedKind

Claim = frozenset[str]
NO_CLAIM: Final[Claim] = frozenset()
_PATCH: Final = "+patch"
_VERBS: Final = "create, get and delete"
_MOST_TEMPLATES: Final = 1000

Templates = Callable[[str], JobFlowSpec | None]
"""The flow of the JobFlowTemplate of a name; None if there is none, or none that can be read."""


def step_claim(kind: Kind, step: Step) -> Claim:
    """What a step needs whose object is of `kind`."""
    both = (kind.resource, kind.resource + _PATCH)
    return frozenset(both if step.resource is not None and step.resource.terminate is not None else both[:1])


def kinds_in(claim: Claim) -> tuple[str, ...]:
    """The kinds of a claim, as RESOURCE.GROUP."""
    return tuple(sorted(entry for entry in claim if not entry.endswith(_PATCH)))


def verbs_of(claim: Claim) -> str:
    """The verbs that somebody needs on the kinds of a claim, for people."""
    return "create, get, patch and delete" if any(entry.endswith(_PATCH) for entry in claim) else _VERBS


def read_claim(annotations: Mapping[str, Any] | None) -> Claim:
    """The claim in the annotations of an object; empty without one."""
    text = (annotations or {}).get(RESOURCE_KINDS)
    return frozenset(text.split(",")) - {""} if isinstance(text, str) else NO_CLAIM


def write_claim(claim: Iterable[str]) -> str:
    """The value of the annotation."""
    return ",".join(sorted(claim))


def claim_of(spec: JobFlowSpec, allowed: Iterable[AllowedKind], templates: Templates) -> Claim:
    """What a flow needs: its own steps, flows written out in them, and the JobFlowTemplates that exist.

    Kinds that are not allowed are left out: other rules refuse them.
    """
    entries = {(one.api_version, one.kind): one.as_kind for one in allowed}
    return frozenset(
        entry
        for step in _resource_steps(spec, templates, set(), 0)
        if step.resource is not None and (kind := entries.get(step.resource.type_meta)) is not None
        for entry in step_claim(kind, step)
    )


def templates_in(spec: JobFlowSpec, templates: Templates) -> frozenset[str]:
    """The names of all JobFlowTemplates that a flow runs, also of those that do not exist."""
    seen: set[str] = set()
    for _ in _resource_steps(spec, templates, seen, 0):
        pass
    return frozenset(seen)


def _resource_steps(spec: JobFlowSpec, templates: Templates, seen: set[str], inline: int) -> Iterator[Step]:
    """`seen`: templates that were looked at; `inline`: flows written out around this one, which bounds the walk."""
    for step in (*spec.flows, *spec.finally_):
        if step.resource is not None:
            yield step
        if step.flow is None:
            continue
        inner = inline_spec(step.flow)
        if inner is not None and inline <= MAX_LEVELS:
            yield from _resource_steps(inner, templates, seen, inline + 1)
        name = step.flow.template
        if name and name not in seen and len(seen) < _MOST_TEMPLATES:
            seen.add(name)
            found = templates(name)
            if found is not None:
                yield from _resource_steps(found, templates, seen, inline)
