"""Templates inside of other objects, which policies judge as what they become.

A CronJob contains a Job; a CronJobFlow and a JobFlowTemplate contain a JobFlow. Policies see that Job or JobFlow, so one
policy covers it wherever it stands; findings and defaults are then moved to its place in the object around it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared.kinds import CRONJOB, CRONJOBFLOW, JOB, JOBFLOW, JOBFLOWTEMPLATE, JOBTEMPLATE, Kind
from shared.model.types import Body

JUDGED: Final[tuple[Kind, ...]] = (JOBFLOW, JOBTEMPLATE, JOB)
"""The kinds that policies judge."""

_METADATA: Final = "metadata"


class Embedded(msgspec.Struct, frozen=True):
    """Where objects of the kind `outer` contain a `kind`: below the field `spec.FIELD`.

    `spec_only`: that field is the spec itself; else it has metadata and spec.
    """

    outer: Kind
    kind: Kind
    field: str
    spec_only: bool = False

    def body(self, outer: Body | None) -> Body | None:
        """The object that is contained, under the name of the outer one; None if there is none."""
        found = _mapping(_mapping((outer or {}).get("spec")).get(self.field))
        if not found:
            return None
        around = _mapping((outer or {}).get(_METADATA))
        own = {} if self.spec_only else _mapping(found.get(_METADATA))
        name = {key: around[key] for key in ("name", "namespace", "uid") if key in around}
        spec: Any = found if self.spec_only else found.get("spec")
        return {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.kind,
            _METADATA: {**own, **name},
            "spec": {} if spec is None else spec,
        }

    def path(self, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
        """The place of a field of the contained object in the outer one; None for metadata that it does not have."""
        if self.spec_only:
            return None if path[0] == _METADATA else ("spec", self.field, *path[1:])
        return ("spec", self.field, *path)

    def path_text(self, path: str) -> str | None:
        """The same for a path in words, such as `spec.tasks[0].name`."""
        place, of_metadata = f"spec.{self.field}", path.startswith(_METADATA)
        if not (of_metadata or path.startswith("spec")):
            return place  # kind and apiVersion are not written in a template
        if not self.spec_only:
            return f"{place}.{path}"
        return None if of_metadata else place + path.removeprefix("spec")


def _mapping(value: Any) -> Body:
    return value if isinstance(value, dict) else {}


EMBEDDED: Final[Mapping[tuple[str, str], Embedded]] = {
    (each.outer.group, each.outer.kind): each
    for each in (
        Embedded(CRONJOB, JOB, "jobTemplate"),
        Embedded(CRONJOBFLOW, JOBFLOW, "jobFlowTemplate"),
        Embedded(JOBFLOWTEMPLATE, JOBFLOW, "flow", spec_only=True),
    )
}
"""By group and kind of the outer object."""

OUTER: Final[tuple[Kind, ...]] = tuple(each.outer for each in EMBEDDED.values())
"""Kinds that contain a Job or JobFlow, which is what policies judge."""
