"""`JobFlow.status`: Volcano's fields and additional ones.

See docs/design/jobflow-api.md, section 8.
"""

from typing import Annotated

from msgspec import Meta

from shared.model.job_status import TaskCounts
from shared.model.phases import FlowPhase, JobPhase, StepPhase
from shared.model.types import Count, Int32, Labels, Model, Time


class FlowState(Model, frozen=True, kw_only=True):
    phase: FlowPhase | None = None
    reason: Annotated[str, Meta(description="The reason of the phase, as one word.")] = ""
    message: Annotated[str, Meta(description="The reason in a sentence.")] = ""


class RunningHistory(Model, frozen=True, kw_only=True):
    """A stay of a Job in one phase."""

    start_timestamp: Time | None = None
    end_timestamp: Time | None = None
    state: Annotated[str, Meta(description="Job phase.")] = ""


class JobEntry(Model, frozen=True, kw_only=True):
    """`jobStatusList[]`: one Job of the flow."""

    name: str
    state: Annotated[str, Meta(description="Job phase.")] = ""
    start_timestamp: Time | None = None
    end_timestamp: Time | None = None
    restart_count: Int32 = 0
    running_histories: tuple[RunningHistory, ...] = ()


class FlowCondition(Model, frozen=True, kw_only=True):
    """`conditions[JOB]` (a map in Volcano's API)."""

    phase: Annotated[JobPhase | None, Meta(description="Job phase.")] = None
    create_time: Time | None = None
    running_duration: Annotated[str | None, Meta(description="Go duration.")] = None
    task_status_count: dict[str, TaskCounts] = {}


class StepCounts(Model, frozen=True, kw_only=True, omit_defaults=False):
    """Steps by state. Zeros are written, so that the columns of kubectl show them."""

    waiting: Count = 0
    running: Count = 0
    completed: Count = 0
    failed: Count = 0
    skipped: Count = 0


class PodCounts(Model, frozen=True, kw_only=True):
    """Of one step: pods by result, over its Jobs."""

    succeeded: Count = 0
    failed: Count = 0


class FlowPods(Model, frozen=True, kw_only=True):
    """Over all Jobs of the flow."""

    total: Count = 0
    running: Count = 0
    succeeded: Count = 0
    failed: Count = 0
    failure_rate_percent: Annotated[float, Meta(description="failed / (succeeded + failed), in percent.")] = 0.0


class Attempt(Model, frozen=True, kw_only=True):
    """The last finished attempt of a step."""

    job: str = ""
    phase: str = ""
    reason: str = ""
    exit_code: Int32 | None = None
    message: str = ""
    start_time: Time | None = None
    completion_time: Time | None = None


class IterationRetry(Model, frozen=True, kw_only=True):
    """An iteration that failed and has not ended: what its next attempt depends on."""

    index: Count
    attempts: Annotated[Count, Meta(description="Attempts started since the last command.")] = 0
    last_attempt: Attempt | None = None
    without_backoff: Annotated[bool, Meta(description="A Command asked that the next attempt starts at once.")] = False


class Iterations(Model, frozen=True, kw_only=True):
    """Progress of a `for`: index sets as "0-57,60"."""

    total: Count | None = None
    running: Count = 0
    running_indexes: Annotated[str, Meta(description="Iterations whose Job exists and has not ended.")] = ""
    completed_indexes: str = ""
    failed_indexes: str = ""
    terminated_indexes: Annotated[
        str, Meta(description="Iterations that the flow terminated; they have not failed.")
    ] = ""
    skipped_indexes: Annotated[str, Meta(description="Items for which `for.if` is false.")] = ""
    not_started: Annotated[
        str, Meta(description="Indexes of the items that were not started; set when the step has ended.")
    ] = ""
    retries: tuple[IterationRetry, ...] = ()
    outputs: Annotated[dict[str, Labels], Meta(description="Outputs by index, if the step declares any.")] = {}

    def tried(self, index: int) -> int:
        """How many attempts `retries` records of an iteration; 0 for one that it does not list."""
        return next((retry.attempts for retry in self.retries if retry.index == index), 0)


class LastIteration(Model, frozen=True, kw_only=True):
    """`last` of a loop's expressions: the latest finished iteration."""

    index: Count = 0
    phase: str = ""
    exit_code: Int32 | None = None
    outputs: Labels = {}


class Approval(Model, frozen=True, kw_only=True):
    """Who approved or rejected a step, and when."""

    decision: Annotated[str, Meta(description="Approved or Rejected.")] = ""
    user: Annotated[str, Meta(description='Who decided; "" after the timeout.')] = ""
    time: Annotated[Time | None, Meta(description="When it was decided.")] = None
    message: Annotated[str, Meta(description="What they said.")] = ""


class StepStatus(Model, frozen=True, kw_only=True):
    """The recorded state of a step, which is sufficient after a restart, even if its Jobs were deleted."""

    name: str
    phase: StepPhase = StepPhase.WAITING
    reason: str = ""
    message: str = ""
    attempts: Annotated[Count, Meta(description="Attempts started since the flow was created.")] = 0
    attempt_base: Annotated[Count, Meta(description="Attempts started before the last Retry or Restart command.")] = 0
    start_time: Time | None = None
    completion_time: Time | None = None
    jobs: Annotated[tuple[str, ...], Meta(description="Its last 10 Jobs.")] = ()
    pods: PodCounts | None = None
    exit_code: Int32 | None = None
    outputs: Labels = {}
    chosen: Annotated[tuple[str, ...] | None, Meta(description="Steps that a switch chose.")] = None
    last_attempt: Attempt | None = None
    iterations: Iterations | None = None
    items_hash: str = ""
    last: LastIteration | None = None
    approval: Annotated[Approval | None, Meta(description="Of a step with approve: the decision.")] = None
    without_backoff: Annotated[bool, Meta(description="A Command asked that the next attempt starts at once.")] = False
    disregarded: Annotated[
        bool,
        Meta(description="It failed before the last Retry, which did not include it; it does not stop other steps."),
    ] = False
    stopped: Annotated[
        bool, Meta(description="A Command has ended it if it is of `finally`, else the `finally` of its flow.")
    ] = False


class NextStep(Model, frozen=True, kw_only=True):
    """A step that starts or continues next, and what it waits for."""

    name: str
    waiting_for: tuple[str, ...] = ()


class CommandResult(Model, frozen=True, kw_only=True):
    """The result of one Command."""

    name: Annotated[str, Meta(description="Of the Command, which is deleted.")] = ""
    uid: Annotated[str, Meta(description="Of the Command.")] = ""
    action: Annotated[str, Meta(description="Its action, such as RetryJobFlow.")] = ""
    result: Annotated[str, Meta(description="Done, WithoutEffect, Refused or Unknown.")] = ""
    message: Annotated[str, Meta(description="The effect, or why there was none.")] = ""
    time: Annotated[Time | None, Meta(description="Time of execution.")] = None


class JobFlowStatus(Model, frozen=True, kw_only=True):
    """The phase of the flow, the state of its steps, and the next steps."""

    pending_jobs: tuple[str, ...] = ()
    running_jobs: tuple[str, ...] = ()
    failed_jobs: tuple[str, ...] = ()
    completed_jobs: tuple[str, ...] = ()
    terminated_jobs: tuple[str, ...] = ()
    un_know_jobs: Annotated[tuple[str, ...], Meta(description="Aborted Jobs (the spelling is Volcano's).")] = ()
    job_status_list: tuple[JobEntry, ...] = ()
    # Atomic: the API server would otherwise own each field of each Job apart, which makes large updates slow.
    conditions: Annotated[dict[str, FlowCondition], Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})] = {}
    state: FlowState = FlowState()
    # ours
    observed_generation: int | None = None
    start_time: Time | None = None
    completion_time: Time | None = None
    duration: Annotated[str, Meta(description="Go duration, set at the end.")] = ""
    progress: Annotated[str, Meta(description='Ended steps of all steps, such as "3/5".')] = ""
    counts: StepCounts | None = None
    steps: tuple[StepStatus, ...] = ()
    next: tuple[NextStep, ...] = ()
    next_summary: str = ""
    pods: FlowPods | None = None
    handled_commands: tuple[str, ...] = ()
    command_results: Annotated[
        tuple[CommandResult, ...], Meta(description="Results of the last 5 Commands, the newest last.")
    ] = ()
    finally_start_time: Annotated[Time | None, Meta(description="When the steps of `finally` could start.")] = None
    finally_outcome: Annotated[
        str, Meta(description="DeadlineExceeded once finallyDeadlineSeconds have ended `finally`.")
    ] = ""
    outputs: Annotated[Labels, Meta(description="Values of spec.outputs, once the flow has ended.")] = {}
    outcome: Annotated[
        str, Meta(description="Succeed, Failed, Terminated or DeadlineExceeded once the steps have ended.")
    ] = ""
