"""What the decision about a JobFlow may look at, and nothing else. Everything is frozen and was read before."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from controller.decision import Refusal
from shared.model.flow import JobFlow
from shared.model.flow_status import JobFlowStatus
from shared.model.job_status import JobStatus
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, STEP, STEP_DIGEST
from shared.timestamp import epoch_or_none


class TaskSeen(msgspec.Struct, frozen=True):
    """A task of a Job. `needed`: pods that a probe asks of it."""

    name: str
    needed: int = 1


class JobSeen(msgspec.Struct, frozen=True):
    """A Job as far as a flow cares. `owner`: "Kind/name" of its controller, "" for none; `ended_at`: RFC3339 or ""."""

    name: str
    uid: str = ""
    owner: str = ""
    owner_uid: str = ""
    deleting: bool = False
    step: str = ""
    index: int | None = None
    attempt: int = 0
    digest: str = ""
    created: str = ""
    ended: bool = False
    ended_at: str = ""
    status: JobStatus = JobStatus()
    tasks: tuple[TaskSeen, ...] = ()

    @property
    def phase(self) -> JobPhase | None:
        return self.status.state.phase

    @property
    def counted(self) -> int:
        """Pods that its status counts."""
        status = self.status
        return status.pending + status.running + status.succeeded + status.failed + status.terminating + status.unknown


class CommandSeen(msgspec.Struct, frozen=True):
    """A Command on this JobFlow, or on an earlier one of its name: `target_uid`, "" if it does not say."""

    name: str
    uid: str
    action: str
    created: str = ""
    target_uid: str = ""


class PodsSeen(msgspec.Struct, frozen=True):
    """What an ended Job's pods left behind.

    `messages`: termination message by (task, container) of the task's pod 0; a container of "" is the pod's first;
    `exit_code`: that of the first failed pod, None if no pod failed or none is left.
    """

    messages: Mapping[tuple[str, str], str] = {}
    exit_code: int | None = None


class ProbeResult(msgspec.Struct, frozen=True):
    """Whether a step's network probes hold; `failing`: in words, what does not."""

    holds: bool
    failing: str = ""


class FlowSeen(msgspec.Struct, frozen=True):
    """One look at a JobFlow and all it depends on.

    `flow.status`: what the last decision left, stored or not; `stored`: what the API server has; `jobs`: those whose
    controller is this flow; `namesakes`: any Job of the namespace by name; `templates`: raw JobTemplates by name;
    `refusals`: what was refused, by name: Jobs, Commands, and the flow's own change; `full`: so many were refused in this pass that no other Job is
    to be tried in it, the last of them; `pods`: of ended Jobs, as far as they were asked for; `gone`:
    Jobs that a live read did not find; `ordered`: epoch seconds of the last terminate order, by Job uid; `probes`: by
    step; `write_after`: no status write before this moment unless it cannot wait; `settle_until`: nor one that another is
    about to follow; `now`: epoch seconds.
    """

    flow: JobFlow
    stored: JobFlowStatus
    jobs: Mapping[str, JobSeen]
    namesakes: Mapping[str, JobSeen]
    templates: Mapping[str, Body]
    now: float
    commands: tuple[CommandSeen, ...] = ()
    refusals: Mapping[str, Refusal] = {}
    full: Refusal | None = None
    pods: Mapping[str, PodsSeen] = {}
    gone: frozenset[str] = frozenset()
    ordered: Mapping[str, float] = {}
    probes: Mapping[str, ProbeResult] = {}
    write_after: float = 0.0
    settle_until: float = 0.0


def job_seen(body: Body) -> JobSeen:
    """A raw Job. A status that is no JobStatus counts as empty: such a Job has not ended as far as anyone can say."""
    metadata = body["metadata"]
    owner: Body = next((one for one in metadata.get("ownerReferences") or () if one.get("controller")), {})
    labels = metadata.get("labels") or {}
    status = _status(body.get("status") or {})
    return JobSeen(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        owner=f"{owner.get('kind', '')}/{owner.get('name', '')}" if owner else "",
        owner_uid=owner.get("uid", ""),
        deleting="deletionTimestamp" in metadata,
        step=labels.get(STEP, ""),
        index=_number(labels.get(ITERATION)),
        attempt=_number(labels.get(ATTEMPT)) or 0,
        digest=(metadata.get("annotations") or {}).get(STEP_DIGEST, ""),
        created=metadata.get("creationTimestamp") or "",
        ended=status.state.phase is not None and status.state.phase.finished,
        ended_at=_ended_at(status, metadata.get("creationTimestamp") or ""),
        status=status,
        tasks=tuple(_tasks((body.get("spec") or {}).get("tasks") or ())),
    )


def _status(raw: Body) -> JobStatus:
    try:
        return msgspec.convert(raw, JobStatus)
    except msgspec.ValidationError:
        return JobStatus()


def _tasks(raw: Iterable[Body]) -> Iterator[TaskSeen]:
    for place, task in enumerate(raw):
        needed = task.get("minAvailable", task.get("replicas", 1))
        yield TaskSeen(task.get("name") or f"default{place}", max(needed if isinstance(needed, int) else 1, 1))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _ended_at(status: JobStatus, created: str) -> str:
    """When a finished Job ended, as it says itself; Volcano's own Jobs have no completionTime."""
    if status.state.phase is None or not status.state.phase.finished:
        return ""
    candidates = (status.completion_time, status.state.last_transition_time, created)
    return next((time for time in candidates if time and epoch_or_none(time) is not None), "")
