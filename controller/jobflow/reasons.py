"""Reasons on steps and flows: `status.steps[].reason`, `status.state.reason` (docs/design/jobflow-api.md, sections 3 to 8)."""

from typing import Final

from shared import names

UPSTREAM_FAILED: Final = "UpstreamFailed"
UPSTREAM_SKIPPED: Final = "UpstreamSkipped"
NOT_FAILED: Final = "NotFailed"
NOT_SELECTED: Final = "NotSelected"
CONDITION_FALSE: Final = "ConditionFalse"
FLOW_STOPPED: Final = "FlowStopped"
TEMPLATE_NOT_FOUND: Final = "TemplateNotFound"
JOB_DELETED: Final = "JobDeleted"
JOB_FAILED: Final = "JobFailed"
JOB_TERMINATED: Final = "JobTerminated"
JOB_ABORTED: Final = "JobAborted"
JOB_REJECTED: Final = "JobRejected"
JOB_HELD: Final = "JobHeld"
QUEUE_CLOSED: Final = "QueueClosed"
POD_PROBLEM: Final = "PodProblem"
WAITING_FOR_DELETION: Final = "WaitingForDeletion"
NAME_CONFLICT: Final = "NameConflict"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"
TERMINATED: Final = "Terminated"
STEP_FAILED: Final = "StepFailed"
PROBE_NOT_MET: Final = "ProbeNotMet"
OUTPUT_MISSING: Final = "OutputMissing"
TOO_MANY_ITERATIONS: Final = "TooManyIterations"
TOO_MANY_JOBS: Final = "TooManyJobs"
ITEMS_CHANGED: Final = "ItemsChanged"
NOT_STARTED: Final = "NotStarted"
ITERATION_FAILED: Final = "IterationFailed"
INVALID_SPEC: Final = names.INVALID_SPEC
INVALID_EXPRESSION: Final = "InvalidExpression"
INVALID_REFERENCE: Final = "InvalidReference"
INVALID_PATCH: Final = "InvalidPatch"
INVALID_JOB: Final = "InvalidJob"
WAITING_FOR_APPROVAL: Final = "WaitingForApproval"
REJECTED: Final = "Rejected"
INVALID_JOB_FLOW: Final = "InvalidJobFlow"
TOO_DEEP: Final = "TooDeep"
TEMPLATE_CYCLE: Final = "TemplateCycle"
QUOTA_EXCEEDED: Final = names.QUOTA_EXCEEDED
PARENT_SUSPENDED: Final = "ParentSuspended"
SUB_FLOW_WAITS: Final = "SubFlowWaits"
SUB_FLOW_SUSPENDED: Final = "SubFlowSuspended"
INVALID_RESOURCE: Final = "InvalidResource"
RESOURCE_FAILED: Final = "ResourceFailed"
KIND_NOT_ALLOWED: Final = "KindNotAllowed"
KIND_NOT_FOUND: Final = "KindNotFound"
RIGHTS_NOT_CHECKED: Final = "RightsNotChecked"
TEMPLATE_CHANGED: Final = "TemplateChanged"
CONDITION_ERROR: Final = "ConditionError"

# A skipped step is "bad" for those after it when it was skipped because something failed (docs/design/jobflow-api.md, section 3.1).
BAD_SKIPS: Final = frozenset({UPSTREAM_FAILED, FLOW_STOPPED})
# With one of these a step has no Job yet, and the controller tries again by itself.
NO_JOB_YET: Final = frozenset({JOB_REJECTED, WAITING_FOR_DELETION, WAITING_FOR_APPROVAL})
# Reasons of a Job that is blocked for now (controller.job): its step and its flow show them too.
JOB_BLOCKED: Final = frozenset(
    {
        "FailedCreate",
        "VolumeClaimNotFound",
        "QueueNotFound",
        QUEUE_CLOSED,
        "PluginConflict",
        "WaitingForDeletion",
        "NoReplicas",
        POD_PROBLEM,
        SUB_FLOW_WAITS,
        SUB_FLOW_SUSPENDED,
        JOB_HELD,
    }
)
# Reasons of every Job that is Pending. A step shows them when its Job has been Pending for a while.
JOB_WAITS: Final = frozenset({"WaitingForPodGroup", "Inqueue", "PodsPending"})
# Reasons that a step has from its Job.
BLOCKED: Final = JOB_BLOCKED | JOB_WAITS | {JOB_ABORTED, CONDITION_ERROR}
# Failures of an iteration whose Job completed: the loop shows the same reason.
ITERATION_OWN_FAULTS: Final = frozenset({OUTPUT_MISSING, INVALID_EXPRESSION})
