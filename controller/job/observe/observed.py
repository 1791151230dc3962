"""Everything that deciding about a Job may look at, as frozen values."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from controller.decision import Refusal
from controller.gang_api import GangBackend, VolcanoBackend
from controller.plugin_api import KeyPair
from shared import names
from shared.kinds import Kind
from shared.model.command import Command
from shared.model.job import Job
from shared.model.phases import PodPhase, TaskCondition
from shared.model.podgroup import PodGroup
from shared.model.queue import Queue
from shared.model.types import Body
from shared.timestamp import epoch_or_none


class PodObservation(msgspec.Struct, frozen=True):
    """A pod of the Job. `terminating`: being deleted; `disrupted`: the cluster ended it, not its own containers.

    `exit_code`: of the first container, once ended; `restarts`: of all containers; `created`, `ended`: epoch seconds.
    """

    name: str
    uid: str
    task: str
    index: int
    version: int = 0
    phase: PodPhase = PodPhase.PENDING
    terminating: bool = False
    disrupted: bool = False
    exit_code: int | None = None
    restarts: int = 0
    ready: bool = False
    created: float = 0.0
    ended: float | None = None

    @property
    def finished(self) -> bool:
        """It ran to its end: what happened then is its result, even if it is deleted afterwards."""
        return self.phase in (PodPhase.SUCCEEDED, PodPhase.FAILED) and not self.terminating

    @property
    def alive(self) -> bool:
        return not self.terminating and not self.finished


class JobSettings(msgspec.Struct, frozen=True):
    """What the operator set for all Jobs."""

    depends_on_condition: TaskCondition = TaskCondition.COMPLETED
    backend: GangBackend = msgspec.field(default_factory=VolcanoBackend)
    count_seconds: float = 1.0  # while nothing but counters moves, status is written this often at most


class JobObservation(msgspec.Struct, frozen=True):
    """One look at a Job and what is around it.

    `body`: the Job as stored; `claims`: PersistentVolumeClaims that exist; `objects`: plugin objects by KIND/NAME;
    `refusals`: what the API server refused lately, by kind and name; `priorities`: PriorityClass name -> value;
    `wrote_ago`: seconds since this process last wrote the Job's status or first saw the Job, by a steady clock.
    """

    job: Job
    body: Body
    now: float
    pods: tuple[PodObservation, ...] = ()
    group: PodGroup | None = None
    claims: frozenset[str] = frozenset()
    objects: Mapping[str, Body] = {}
    keypair: KeyPair | None = None
    commands: tuple[Command, ...] = ()
    queue: Queue | None = None
    refusals: Mapping[tuple[Kind, str], Refusal] = {}
    priorities: Mapping[str, int] = {}
    wrote_ago: float | None = None
    settings: JobSettings = msgspec.field(default_factory=JobSettings)


def job_settings(depends_on_condition: str, backend: GangBackend) -> JobSettings:
    return JobSettings(depends_on_condition=TaskCondition(depends_on_condition), backend=backend)


_PHASES: Final = {phase.value: phase for phase in PodPhase}


def observe_pod(body: Body) -> PodObservation | None:
    """A raw pod, or None when it does not say which task and index it is of."""
    metadata, status = body["metadata"], body.get("status") or {}
    marks = (metadata.get("labels") or {}) | (metadata.get("annotations") or {})
    index = marks.get(names.TASK_INDEX, "")
    if names.TASK_SPEC not in marks or not index.isdecimal():
        return None
    statuses = status.get("containerStatuses") or ()
    version = marks.get(names.JOB_VERSION, "0")
    phase = _PHASES.get(status.get("phase") or "Pending", PodPhase.UNKNOWN)
    return PodObservation(
        name=metadata["name"],
        uid=metadata["uid"],
        task=marks[names.TASK_SPEC],
        index=int(index),
        version=int(version) if version.isdecimal() else 0,
        phase=phase,
        terminating=bool(metadata.get("deletionTimestamp")) and not _ended_before_deletion(metadata, phase, statuses),
        disrupted=_has_condition(status, "DisruptionTarget"),
        exit_code=_exit_code(statuses[0]) if statuses else None,
        restarts=sum(
            each.get("restartCount") or 0 for each in (*statuses, *(status.get("initContainerStatuses") or ()))
        ),
        ready=all(each.get("ready") for each in statuses),
        created=epoch_or_none(metadata.get("creationTimestamp")) or 0.0,
        ended=_ended(statuses),
    )


def _has_condition(status: Body, kind: str) -> bool:
    return any(each.get("type") == kind and each.get("status") == "True" for each in status.get("conditions") or ())


def _terminated(status: Body) -> Body:
    found: Body = (status.get("state") or {}).get("terminated") or {}
    return found


def _exit_code(status: Body) -> int | None:
    return _terminated(status).get("exitCode")


def _ended(statuses: Sequence[Body]) -> float | None:
    times = [epoch_or_none(_terminated(status).get("finishedAt")) for status in statuses]
    return max((at for at in times if at is not None), default=None)


def _ended_before_deletion(metadata: Body, phase: PodPhase, statuses: Sequence[Body]) -> bool:
    """Whether a pod being deleted had ended by itself before: then its result stands (decisions row 12)."""
    ended, deadline = _ended(statuses), epoch_or_none(metadata.get("deletionTimestamp"))
    if phase not in (PodPhase.SUCCEEDED, PodPhase.FAILED) or ended is None or deadline is None:
        return False
    deleted = deadline - (metadata.get("deletionGracePeriodSeconds") or 0)
    # Times have whole seconds: a failure in the very second of the deletion is the kill that came with it.
    return ended < deleted or (ended == deleted and phase is PodPhase.SUCCEEDED)
