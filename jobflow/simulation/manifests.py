"""The objects that a simulation begins with. Pure."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from shared.kinds import Kind
from shared.model.flow import JobFlow
from shared.model.meta import ObjectMeta
from shared.model.step import Step
from shared.model.types import Body


class KnownTemplates(msgspec.Struct, frozen=True):
    """JobTemplates and JobFlowTemplates by name. `opaque`: JobFlowTemplates of which only the name is known."""

    jobs: Mapping[str, Body]
    flows: Mapping[str, Body]
    opaque: frozenset[str] = frozenset()


def parse(body: Body) -> JobFlow:
    """Raises msgspec.ValidationError."""
    metadata = body.get("metadata") or {}
    name = metadata.get("name") or f"{metadata.get('generateName') or ''}xxxxx"
    flow = msgspec.convert({**body, "status": {}, "metadata": {}}, JobFlow)
    made = ObjectMeta(
        name=name,
        namespace=metadata.get("namespace") or "default",
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
    )
    return replace(flow, metadata=made)


def resource_kinds(steps: Iterable[Step]) -> Iterator[Kind]:
    """The kinds that steps with `resource` create: the operator is assumed to allow them."""
    for step in steps:
        if step.resource is not None:
            yield Kind(*step.resource.type_meta, "")
