"""PodGroups as admission sees them, with what is recorded on them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controller.gang.cache.pod import PodInfo, number
from shared import names
from shared.key import Key
from shared.kinds import JOB
from shared.model.phases import PodGroupPhase
from shared.timestamp import epoch_or_none

SCHEDULED: Final = "Scheduled"
UNSCHEDULABLE: Final = "Unschedulable"
_PHASES: Final = {phase.value: phase for phase in PodGroupPhase}


class PodGroupInfo(msgspec.Struct, frozen=True):
    """`version`: of the Job that it was created for, None for groups of others; `created`, `admitted_at`,
    `bind_timeout_at`: epoch seconds, None for never; `bind_timeouts`: how often it was admitted and not bound in time;
    `of_job`: a Job controls it, and deletes it when it ends."""

    key: Key
    uid: str
    minimum: int = 0
    task_minimum: Mapping[str, int] = {}
    queue: str = names.DEFAULT_QUEUE
    priority_class: str = ""
    version: int | None = None
    created: float = 0.0
    phase: PodGroupPhase = PodGroupPhase.PENDING
    admitted_at: float | None = None
    bind_timeouts: int = 0
    bind_timeout_at: float | None = None
    status: Mapping[str, Any] = {}
    terminating: bool = False
    of_job: bool = False

    @property
    def has_task_minimums(self) -> bool:
        """Whether the minimums of tasks bind, as in Volcano: only when the group's own covers their sum."""
        return self.minimum >= sum(self.task_minimum.values()) > 0

    def includes(self, version: int | None) -> bool:
        """Whether pods of that Job version belong to this group, and not to an earlier one of its name."""
        return version is None or self.version is None or version == self.version

    def has(self, pod: PodInfo) -> bool:
        return self.includes(pod.group_version)


def pod_group_info_of(body: Mapping[str, Any]) -> PodGroupInfo:
    """A stored PodGroup. Malformed fields count as absent."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    annotations = metadata.get("annotations") or {}
    owners = metadata.get("ownerReferences") or ()
    return PodGroupInfo(
        key=Key(metadata.get("namespace", ""), metadata["name"]),
        uid=metadata.get("uid", ""),
        minimum=int(spec.get("minMember") or 0),
        task_minimum={str(task): int(count or 0) for task, count in (spec.get("minTaskMember") or {}).items()},
        queue=spec.get("queue") or names.DEFAULT_QUEUE,
        priority_class=spec.get("priorityClassName") or "",
        version=number(annotations.get(names.JOB_VERSION)),
        created=epoch_or_none(metadata.get("creationTimestamp")) or 0.0,
        phase=_PHASES.get(status.get("phase") or "", PodGroupPhase.PENDING),
        admitted_at=_true_since(status, SCHEDULED),
        bind_timeouts=number(annotations.get(names.GANG_PUT_BACK)) or 0,
        bind_timeout_at=epoch_or_none(annotations.get(names.GANG_PUT_BACK_AT)),
        status=status,
        terminating="deletionTimestamp" in metadata,
        of_job=any(each.get("kind") == JOB.kind and each.get("controller") for each in owners),
    )


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of that type, or an empty one."""
    return next((each for each in status.get("conditions") or () if each.get("type") == kind), {})


def _true_since(status: Mapping[str, Any], kind: str) -> float | None:
    found = condition(status, kind)
    return epoch_or_none(found.get("lastTransitionTime")) if found.get("status") == "True" else None
