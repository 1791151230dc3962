"""Topics: the objects whose changes a page receives. Pure.

`jobflows/NAMESPACE` (`*` for all), `jobflows/NAMESPACE/NAME`, `jobflows/NAMESPACE/PREFIX*`, and for kinds without a
namespace `queues`. Pods are named by their Job: `pods/NAMESPACE/JOB`.
"""

from typing import Final

import msgspec

from shared.kinds import (
    CRONJOB,
    CRONJOBFLOW,
    CRONJOBFLOWBACKFILL,
    JOB,
    JOBFLOW,
    JOBFLOWPOLICY,
    JOBFLOWPOLICYEXCEPTION,
    JOBFLOWTEMPLATE,
    JOBTEMPLATE,
    POD,
    PODGROUP,
    QUEUE,
    Kind,
)
from shared.model.types import Body
from shared.names import JOB_NAME

MOST: Final = 40
"""Topics of one stream."""
_KINDS: Final = {
    kind.plural: kind
    for kind in (
        *(JOBFLOW, JOB, POD, QUEUE, PODGROUP, JOBTEMPLATE, JOBFLOWTEMPLATE, JOBFLOWPOLICY),
        JOBFLOWPOLICYEXCEPTION,
        *(CRONJOB, CRONJOBFLOW, CRONJOBFLOWBACKFILL),
    )
}


class Topic(msgspec.Struct, frozen=True):
    """`namespace`: '' for all; `name`: '' for every object, may end in `*`."""

    text: str
    kind: Kind
    namespace: str = ""
    name: str = ""

    def covers(self, subject: str) -> bool:
        """Whether a change of this subject (see `subject_of`) is one of the topic."""
        if self.name.endswith("*"):
            return subject.startswith(self.name[:-1])
        return not self.name or subject == self.name


def parse_topic(text: str) -> Topic | None:
    """None for what is no topic."""
    plural, *rest = text.split("/")
    kind = _KINDS.get(plural)
    if kind is None or len(rest) > 2 or (kind.namespaced and not rest):
        return None
    if not kind.namespaced:
        return Topic(text, kind, name=rest[0] if rest else "") if len(rest) < 2 else None
    return Topic(text, kind, "" if rest[0] == "*" else rest[0], rest[1] if len(rest) == 2 else "")


def subject_of(kind: Kind, body: Body) -> str:
    """The name by which topics call an object."""
    metadata = body.get("metadata") or {}
    if kind == POD:
        return str((metadata.get("labels") or {}).get(JOB_NAME) or "")
    return str(metadata.get("name") or "")
