"""The enumerations of the API: phases, events, actions, strategies."""

from enum import StrEnum


class JobPhase(StrEnum):
    """`Job.status.state.phase`, as in Volcano."""

    PENDING = "Pending"
    RUNNING = "Running"
    RESTARTING = "Restarting"
    ABORTING = "Aborting"
    ABORTED = "Aborted"
    COMPLETING = "Completing"
    COMPLETED = "Completed"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"
    FAILED = "Failed"

    finished: bool
    """A phase that is never left. Aborted is not finished, it can be resumed. An attribute, because it is read often."""

    def __init__(self, value: str) -> None:
        self.finished = value in ("Completed", "Failed", "Terminated")


class JobEvent(StrEnum):
    """Events that a policy can react to."""

    ANY = "*"
    POD_PENDING = "PodPending"
    POD_RUNNING = "PodRunning"
    POD_FAILED = "PodFailed"
    POD_EVICTED = "PodEvicted"
    UNKNOWN = "Unknown"
    TASK_COMPLETED = "TaskCompleted"
    TASK_FAILED = "TaskFailed"
    OUT_OF_SYNC = "OutOfSync"
    COMMAND_ISSUED = "CommandIssued"
    JOB_UPDATED = "JobUpdated"


class JobAction(StrEnum):
    """Actions of policies and Commands on Jobs."""

    ABORT_JOB = "AbortJob"
    RESTART_JOB = "RestartJob"
    RESTART_TASK = "RestartTask"
    RESTART_POD = "RestartPod"
    RESTART_PARTITION = "RestartPartition"
    TERMINATE_JOB = "TerminateJob"
    COMPLETE_JOB = "CompleteJob"
    RESUME_JOB = "ResumeJob"


class QueueAction(StrEnum):
    OPEN_QUEUE = "OpenQueue"
    CLOSE_QUEUE = "CloseQueue"


class FlowAction(StrEnum):
    """Actions of Commands on JobFlows."""

    SUSPEND = "SuspendJobFlow"
    RESUME = "ResumeJobFlow"
    TERMINATE = "TerminateJobFlow"
    RETRY = "RetryJobFlow"
    RESTART = "RestartJobFlow"
    APPROVE = "ApproveStep"


class PodGroupPhase(StrEnum):
    PENDING = "Pending"
    RUNNING = "Running"
    UNKNOWN = "Unknown"
    INQUEUE = "Inqueue"
    COMPLETED = "Completed"


class QueueState(StrEnum):
    OPEN = "Open"
    CLOSED = "Closed"
    CLOSING = "Closing"
    UNKNOWN = "Unknown"


class PodPhase(StrEnum):
    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


class TaskIteration(StrEnum):
    """`tasks[].dependsOn.iteration`: whether one or every named task must satisfy it."""

    ANY = "any"
    ALL = "all"


class TaskCondition(StrEnum):
    """`tasks[].dependsOn.condition`: the state that a named task must reach. Volcano does not have this field."""

    COMPLETED = "Completed"
    READY = "Ready"


class FlowPhase(StrEnum):
    """`JobFlow.status.state.phase`: Volcano's five phases and Suspended."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEED = "Succeed"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    SUSPENDED = "Suspended"


class FlowOutcome(StrEnum):
    """`flow.outcome` in expressions and `status.state.reason` at the end."""

    SUCCEED = "Succeed"
    FAILED = "Failed"
    TERMINATED = "Terminated"
    DEADLINE_EXCEEDED = "DeadlineExceeded"


class StepPhase(StrEnum):
    """`JobFlow.status.steps[].phase`."""

    WAITING = "Waiting"
    PENDING = "Pending"
    RUNNING = "Running"
    RETRYING = "Retrying"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    TERMINATED = "Terminated"

    ended: bool
    """A phase that only a Command can leave. An attribute, as JobPhase.finished."""

    def __init__(self, value: str) -> None:
        self.ended = value in ("Completed", "Failed", "Skipped", "Terminated")


class RetainPolicy(StrEnum):
    RETAIN = "retain"
    DELETE = "delete"


class FailureStrategy(StrEnum):
    STOP = "Stop"
    CONTINUE = "Continue"
    FAIL_FAST = "FailFast"


class DependsStrategy(StrEnum):
    ALL = "all"
    ANY = "any"


class DependsCondition(StrEnum):
    COMPLETED = "Completed"
    FAILED = "Failed"
    ENDED = "Ended"


class PolicyMode(StrEnum):
    ENFORCE = "Enforce"
    WARN = "Warn"
    AUDIT = "Audit"
