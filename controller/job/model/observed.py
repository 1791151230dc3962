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
from shared.podstatus.podproblem import PodProblem, node_not_found, pod_problem, starting_since
from shared.policy.quota.places import PlaceState, QuotaPlace
from shared.timestamp import epoch_or_none


class PodObservation(msgspec.Struct, frozen=True):
    """A pod of the Job. `gated`: our scheduling gate holds it; `terminating`: being deleted; `disrupted`: ended by the
    cluster, not by its own containers.

    `exit_code`: of the first container, once ended; `restarts`: of all containers; `created`, `ended`: epoch seconds;
    `problem`: why it does not run, or how it has failed; `placed`: when it was bound to a node, while its containers
    are being created; `leaves`: when the grace period of its deletion is over; `node`: to which it is bound, "" before;
    `conditions`: (type, status) of each.
    """

    name: str
    uid: str
    task: str
    index: int
    version: int = 0
    phase: PodPhase = PodPhase.PENDING
    gated: bool = False
    terminating: bool = False
    disrupted: bool = False
    exit_code: int | None = None
    restarts: int = 0
    ready: bool = False
    created: float = 0.0
    ended: float | None = None
    problem: PodProblem | None = None
    placed: float | None = None
    leaves: float | None = None
    node: str = ""
    conditions: frozenset[tuple[str, str]] = frozenset()

    @property
    def finished(self) -> bool:
        """It ran to its end. Its result counts even if it is deleted afterwards."""
        return self.phase in (PodPhase.SUCCEEDED, PodPhase.FAILED) and not self.terminating

    @property
    def alive(self) -> bool:
        return not self.terminating and not self.finished


class JobSettings(msgspec.Struct, frozen=True):
    """Operator settings that apply to all Jobs."""

    depends_on_condition: TaskCondition = TaskCondition.COMPLETED
    backend: GangBackend = msgspec.field(default_factory=VolcanoBackend)
    count_seconds: float = 1.0  # least seconds between writes of a status in which only counters change


class JobObservation(msgspec.Struct, frozen=True):
    """A Job and the objects around it, read at one time.

    `body`: the Job as stored; `claims`: PersistentVolumeClaims that exist; `objects`: plugin objects by KIND/NAME;
    `refusals`: recent refusals of the API server, by kind and name; `allowed`: what ResourceQuotas allow, by their names,
    empty without refusals; `priorities`: PriorityClass name -> value;
    `quota_ahead`: an older Job that waits for quota that this one needs too, "" for none;
    `place`: what the quotas of policies say, None if none is about the Job;
    `wrote_ago`: seconds since this process last wrote the Job's status or first saw the Job, by a monotonic clock.
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
    allowed: Mapping[str, Mapping[str, str]] = {}
    priorities: Mapping[str, int] = {}
    quota_ahead: str = ""
    place: QuotaPlace | None = None
    wrote_ago: float | None = None
    settings: JobSettings = msgspec.field(default_factory=JobSettings)

    @property
    def may_create(self) -> bool:
        """Whether quotas let the Job create anything in this pass. One that got pods before there was a quota
        continues."""
        has_place = self.place is None or self.place.state is PlaceState.OPEN
        return has_place or any(pod.alive for pod in self.pods)


def job_settings(depends_on_condition: str, backend: GangBackend) -> JobSettings:
    return JobSettings(depends_on_condition=TaskCondition(depends_on_condition), backend=backend)


_PHASES: Final = {phase.value: phase for phase in PodPhase}


def observe_pod(body: Body) -> PodObservation | None:
    """A pod from its body, or None when its labels do not name task and index."""
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
        gated=any(
            gate.get("name") == names.GANG_GATE for gate in (body.get("spec") or {}).get("schedulingGates") or ()
        ),
        terminating=bool(metadata.get("deletionTimestamp")) and not _ended_before_deletion(body, phase, statuses),
        disrupted=_has_condition(status, "DisruptionTarget"),
        exit_code=_exit_code(statuses[0]) if statuses else None,
        restarts=sum(
            each.get("restartCount") or 0 for each in (*statuses, *(status.get("initContainerStatuses") or ()))
        ),
        ready=all(each.get("ready") for each in statuses),
        created=epoch_or_none(metadata.get("creationTimestamp")) or 0.0,
        ended=_ended(statuses),
        problem=pod_problem(body),
        placed=starting_since(body),
        leaves=epoch_or_none(metadata.get("deletionTimestamp")),
        node=str((body.get("spec") or {}).get("nodeName") or ""),
        conditions=frozenset(
            (str(each.get("type")), str(each.get("status"))) for each in status.get("conditions") or ()
        ),
    )


def on_missing_node(pod: PodObservation) -> PodObservation:
    """The pod, whose node no longer exists, with that as its problem. Nothing reports its containers any more, which may
    still run: it counts as before until it is deleted."""
    return msgspec.structs.replace(pod, problem=node_not_found(pod.node), placed=None) if pod.alive else pod


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


def _ended_before_deletion(body: Body, phase: PodPhase, statuses: Sequence[Body]) -> bool:
    """Whether a pod that is being deleted had ended by itself before. Its result then counts (docs/design/decisions.md,
    row 12).
    """
    ended, deadline = _ended(statuses), epoch_or_none(body["metadata"].get("deletionTimestamp"))
    if phase not in (PodPhase.SUCCEEDED, PodPhase.FAILED) or ended is None or deadline is None:
        return False
    deleted = deadline - _grace(body)
    # Times are whole seconds: a failure in the second of the deletion is taken as its effect.
    return ended < deleted or (ended == deleted and phase is PodPhase.SUCCEEDED)


def _grace(body: Body) -> float:
    """The most seconds that have passed from the deletion to the pod's deletionTimestamp. The kubelet ends a deletion
    with a second one, without grace: that sets the grace period to 0 and the timestamp to the time of that request.
    """
    stated = body["metadata"].get("deletionGracePeriodSeconds") or 0
    return float(stated or (body.get("spec") or {}).get("terminationGracePeriodSeconds") or 0)
