"""`Job.status`: what the Job controller observed and decided. Fields that Volcano does not have are marked.

See docs/design/volcano-behaviour.md, section 1.5.
"""

from typing import Annotated

from msgspec import Meta

from shared.model.phases import JobPhase
from shared.model.types import Count, Labels, Model, Time


class JobState(Model, frozen=True, kw_only=True):
    """The phase of the Job and its reason."""

    phase: JobPhase | None = None
    reason: Annotated[str, Meta(description="The reason of the phase, as one word.")] = ""
    message: Annotated[str, Meta(description="The reason in a sentence.")] = ""
    last_transition_time: Time | None = None


class JobCondition(Model, frozen=True, kw_only=True):
    """One entry for each phase, the latest last."""

    status: JobPhase | None = None
    last_transition_time: Time | None = None


class TaskCounts(Model, frozen=True, kw_only=True):
    """Pods of one task by pod phase."""

    phase: dict[str, Count] = {}


class HandledEvent(Model, frozen=True, kw_only=True):
    """A handled event, and a timer if `due` is set, so that a restarted controller does not act twice.

    Not in Volcano.
    """

    key: Annotated[str, Meta(description="EVENT, task, pod index and uid, joined by '/'.")]
    since: Annotated[Time | None, Meta(description="Time of the event.")] = None
    due: Annotated[Time | None, Meta(description="When `action` is due; absent if it has been taken.")] = None
    action: Annotated[str, Meta(description="The action that a policy takes when it is due.")] = ""


class TaskRecord(Model, frozen=True, kw_only=True):
    """Results of a task that must outlive its pods. Indexes are ranges such as "0-3,7". Not in Volcano."""

    name: str
    retries: Annotated[
        Count, Meta(description="Pod, task and partition restarts counted against the task's maxRetry.")
    ] = 0
    created: Annotated[
        str, Meta(description="Indexes whose pod has been created; if the pod no longer exists, it was evicted.")
    ] = ""
    succeeded: Annotated[str, Meta(description="Indexes of pods whose success is remembered.")] = ""
    failed: Annotated[str, Meta(description="Indexes of pods whose failure is remembered.")] = ""
    replacing: Annotated[tuple[str, ...], Meta(description="Uids of pods that a restart replaces.")] = ()
    released: Annotated[bool, Meta(description="Its dependencies were met, so it does not wait for them again.")] = (
        False
    )
    completed: Annotated[bool, Meta(description="TaskCompleted was raised.")] = False
    gave_up: Annotated[bool, Meta(description="TaskFailed was raised.")] = False


class JobStatus(Model, frozen=True, kw_only=True):
    """Counters include all pods; results of finished pods are kept after their deletion."""

    state: JobState = JobState()
    min_available: Count = 0
    pending: Count = 0
    running: Count = 0
    succeeded: Count = 0
    failed: Count = 0
    terminating: Count = 0
    unknown: Count = 0
    task_status_count: dict[str, TaskCounts] = {}
    version: Count = 0
    retry_count: Count = 0
    running_duration: Annotated[str | None, Meta(description="Duration of the running phase (Go duration).")] = None
    controlled_resources: Labels = {}
    conditions: tuple[JobCondition, ...] = ()
    # ours
    observed_generation: Annotated[
        int | None, Meta(description="The metadata.generation that this status describes.")
    ] = None
    start_time: Annotated[Time | None, Meta(description="Time when it was first Running.")] = None
    active_since: Annotated[
        Time | None, Meta(description="Time when the first pod ran after the creation or the last resume.")
    ] = None
    suspended: Annotated[bool, Meta(description="The last value of spec.suspend that took effect.")] = False
    completion_time: Annotated[Time | None, Meta(description="Time when it finished.")] = None
    expected_end_time: Annotated[Time | None, Meta(description="startTime plus spec.runningEstimate.")] = None
    tasks: Annotated[tuple[TaskRecord, ...], Meta(description="Records that must outlive the tasks' pods.")] = ()
    handled: Annotated[tuple[HandledEvent, ...], Meta(description="Pending timers and handled events.")] = ()
    handled_commands: Annotated[
        tuple[str, ...], Meta(description="Uids of the last 20 Commands that took effect.")
    ] = ()
