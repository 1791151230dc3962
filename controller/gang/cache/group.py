"""PodGroups as admission sees them, and what is recorded on them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared import names
from shared.key import Key
from shared.kinds import JOB
from shared.model.phases import PodGroupPhase
from shared.model.types import ReadOnlyBody
from shared.timestamp import epoch_or_none

SCHEDULED: Final = "Scheduled"
UNSCHEDULABLE: Final = "Unschedulable"
_PHASES: Final = {phase.value: phase for phase in PodGroupPhase}


class Group(msgspec.Struct, frozen=True):
    """`created`, `admitted_at`, `put_back_at`: epoch seconds, None for never; `put_back`: how often;
    `of_job`: a Job controls it, and deletes it when it ends."""

    ref: Key
    uid: str
    minimum: int = 0
    task_minimum: Mapping[str, int] = {}
    queue: str = names.DEFAULT_QUEUE
    priority_class: str = ""
    created: float = 0.0
    phase: PodGroupPhase = PodGroupPhase.PENDING
    admitted_at: float | None = None
    put_back: int = 0
    put_back_at: float | None = None
    status: Mapping[str, Any] = {}
    terminating: bool = False
    of_job: bool = False

    @property
    def tasks_count(self) -> bool:
        """Whether per-task minimums bind (volcano-behaviour.md 5.1)."""
        return self.minimum >= sum(self.task_minimum.values()) > 0


def group_of(body: ReadOnlyBody) -> Group:
    """A stored PodGroup. Total: what is malformed counts as absent."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    annotations = metadata.get("annotations") or {}
    owners = metadata.get("ownerReferences") or ()
    put_back = str(annotations.get(names.GANG_PUT_BACK) or "")
    return Group(
        ref=Key(metadata.get("namespace", ""), metadata["name"]),
        uid=metadata.get("uid", ""),
        minimum=int(spec.get("minMember") or 0),
        task_minimum={str(task): int(count or 0) for task, count in (spec.get("minTaskMember") or {}).items()},
        queue=spec.get("queue") or names.DEFAULT_QUEUE,
        priority_class=spec.get("priorityClassName") or "",
        created=epoch_or_none(metadata.get("creationTimestamp")) or 0.0,
        phase=_PHASES.get(status.get("phase") or "", PodGroupPhase.PENDING),
        admitted_at=_since(status, SCHEDULED),
        put_back=int(put_back) if put_back.isdecimal() else 0,
        put_back_at=epoch_or_none(annotations.get(names.GANG_PUT_BACK_AT)),
        status=status,
        terminating="deletionTimestamp" in metadata,
        of_job=any(each.get("kind") == JOB.kind and each.get("controller") for each in owners),
    )


def condition(status: ReadOnlyBody, kind: str) -> ReadOnlyBody:
    """The condition of that type, or nothing."""
    return next((each for each in status.get("conditions") or () if each.get("type") == kind), {})


def _since(status: ReadOnlyBody, kind: str) -> float | None:
    found = condition(status, kind)
    return epoch_or_none(found.get("lastTransitionTime")) if found.get("status") == "True" else None
