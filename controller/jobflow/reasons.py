"""Reasons on steps and flows: `status.steps[].reason`, `status.state.reason` (jobflow-api.md 3-8)."""

from typing import Final

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
ITERATION_FAILED: Final = "IterationFailed"
INVALID_SPEC: Final = "InvalidSpec"
INVALID_EXPRESSION: Final = "InvalidExpression"
INVALID_REFERENCE: Final = "InvalidReference"
INVALID_PATCH: Final = "InvalidPatch"
INVALID_JOB: Final = "InvalidJob"

# A skipped step is "bad" for those after it when it was skipped because something failed (3.1).
BAD_SKIPS: Final = frozenset({UPSTREAM_FAILED, FLOW_STOPPED})
# A step that has one of these and no Job yet will be tried again by itself.
NO_JOB_YET: Final = frozenset({JOB_REJECTED, WAITING_FOR_DELETION})
# Of a Job that cannot go on for now (controller.job): its step and its flow say so too.
JOB_BLOCKED: Final = frozenset({"FailedCreate", "VolumeClaimNotFound", "QueueNotFound", "PluginConflict", "NoReplicas"})
# The same, and that somebody has aborted it.
BLOCKED: Final = JOB_BLOCKED | {JOB_ABORTED}
# Failures of an iteration whose Job has not failed: the loop's own reason is the same.
ITERATION_OWN_FAULTS: Final = frozenset({OUTPUT_MISSING, INVALID_EXPRESSION})
