"""The reasons in `status.state.reason` of a Job, beside the names of policy events. docs/jobs.md describes each."""

from typing import Final

from shared import names

# Pending
WAITING_FOR_PODGROUP: Final = "WaitingForPodGroup"
INQUEUE: Final = "Inqueue"
PODS_PENDING: Final = "PodsPending"
NO_REPLICAS: Final = "NoReplicas"
QUEUE_NOT_FOUND: Final = "QueueNotFound"
QUEUE_CLOSED: Final = "QueueClosed"
VOLUME_CLAIM_NOT_FOUND: Final = "VolumeClaimNotFound"
PLUGIN_CONFLICT: Final = "PluginConflict"
WAITING_FOR_DELETION: Final = "WaitingForDeletion"
FAILED_CREATE: Final = "FailedCreate"
QUOTA_EXCEEDED: Final = names.QUOTA_EXCEEDED
# Running
PODS_RUNNING: Final = "PodsRunning"
POD_PROBLEM: Final = "PodProblem"
# ended
COMPLETED: Final = "PodsCompleted"
MIN_SUCCESS: Final = "MinSuccessReached"
NO_MIN_SUCCESS: Final = "MinSuccessUnreachable"
NO_MIN_AVAILABLE: Final = "MinAvailableUnreachable"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"
MAX_RETRY_EXCEEDED: Final = "MaxRetryExceeded"
DEPENDENCY_FAILED: Final = "DependencyFailed"

# Aborted, and while a Job is being aborted or resumed
SUSPENDED: Final = "Suspended"
RESUMED: Final = "Resumed"

# Events without a state of the same name.
EXECUTE_ACTION: Final = "ExecuteAction"
UNKNOWN_COMMAND: Final = "UnknownCommand"
STALE_COMMAND: Final = "StaleCommand"
COMMAND_IGNORED: Final = "CommandIgnored"
QUOTA_FREE: Final = "QuotaFree"
