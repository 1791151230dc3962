"""Descriptions of API fields whose models carry none.

The CRDs and the field reference need a text for every field. Where the name of a field is clear to readers of the
code, the model has no description, and the text for users stands here.
"""

from collections.abc import Mapping
from typing import Final

# For every type that has a field of this name.
_ANYWHERE: Final[Mapping[str, str]] = {
    "name": "The name.",
    "namespace": "The namespace.",
    "reason": "The reason, as one word.",
    "message": "The reason in a sentence.",
    "observedGeneration": "The metadata.generation that this status describes.",
    "startTime": "Start time.",
    "completionTime": "End time.",
    "startTimestamp": "Start time.",
    "endTimestamp": "End time.",
    "createTime": "Time of creation.",
    "lastTransitionTime": "Time of the last change.",
    "exitCode": "Exit code of the first container.",
    "outputs": "Outputs by name.",
    "phase": "The current phase.",
    "status": "True, False or Unknown.",
    "type": "The type of the condition.",
    "total": "The total number.",
    "running": "Number of running ones.",
    "pending": "Number of pending ones.",
    "succeeded": "Number of succeeded ones.",
    "failed": "Number of failed ones.",
    "unknown": "Number of those in an unknown state.",
    "state": "The phase and its reason.",
    "taskName": "A task of the target's Job.",
    "port": "Port number on the pods' addresses.",
    "queue": "The queue of the Job.",
    "priorityClassName": "Priority class, which must exist.",
    "parent": "The parent queue. Default root.",
    "value": "The value.",
    "conditions": "Conditions with their last transitions.",
}
_OF_TYPE: Final[Mapping[str, Mapping[str, str]]] = {
    "JobFlowStatus": {
        "pendingJobs": "Jobs that wait for capacity.",
        "runningJobs": "Jobs that run or are between two phases.",
        "failedJobs": "Jobs that failed.",
        "completedJobs": "Jobs that completed.",
        "terminatedJobs": "Jobs that were terminated.",
        "startTime": "The first time at which it was not suspended.",
        "completionTime": "When all steps and `finally` had ended; wait for this field.",
        "counts": "Steps by state.",
        "nextSummary": "`next` as one line.",
        "handledCommands": "Uids of the last 20 Commands that took effect.",
    },
    "TemplateMetadata": {
        "labels": "Labels of the objects that are created.",
        "annotations": "Annotations of the objects that are created.",
        "finalizers": "Ignored.",
    },
    "ActiveReference": {
        "apiVersion": "Group and version of the object.",
        "kind": "Kind of the object.",
        "uid": "Uid of the object.",
        "resourceVersion": "Not set.",
        "fieldPath": "Not set.",
    },
    "ObservedSchedule": {
        "schedules": "The schedules that are followed.",
        "timeZone": "Time zone of the schedules.",
        "since": "Time since which it is followed; earlier times are not made up for.",
        "endTime": "End of the schedule. If it has passed and is removed or moved later, times until then are not made up for.",
    },
    "CronJobStatus": {"observedSchedule": "The schedule that is followed, and since when."},
    "InlineFlow": {"metadata": "Labels and annotations of the JobFlows.", "spec": "Spec of the JobFlows."},
    "CronJobFlowStatus": {
        "skipped": "Due times that were skipped, by cause.",
        "lastRun": "The newest flow that ended.",
        "observedSchedule": "The schedule that is followed, and since when.",
    },
    "SkippedTimes": {
        "suspended": "While the schedule was suspended.",
        "forbidden": "While an earlier flow was active, under Forbid.",
        "condition": "Because `when` was false.",
    },
    "LastRun": {"outcome": "Its outcome.", "phase": "Its phase."},
    "TemplateParam": {"description": "Description for users."},
    "CronJobTemplate": {"metadata": "Labels and annotations of the Jobs.", "spec": "Spec of the Jobs."},
    "Param": {"name": "A letter or _, then letters, digits and _.", "value": "Always a string."},
    "JobEntry": {"restartCount": "Number of restarts of the Job."},
    "StepCounts": {
        "waiting": "Not started.",
        "running": "Pending, Running, Retrying or Suspended.",
        "completed": "Completed.",
        "failed": "Failed or Terminated.",
        "skipped": "Skipped.",
    },
    "StepStatus": {
        "exitCode": "Exit code of the last attempt; 0 if nothing failed.",
        "itemsHash": "Hash of a loop's items when it started.",
    },
    "NextStep": {
        "waitingFor": "The reason in words: `waits for b`, `retry 2/3 at 2027-01-15T08:00:40Z`, `parallelism 4 reached`."
    },
    "Attempt": {"job": "Its Job."},
    "Iterations": {
        "total": "The number of iterations; absent until it is known.",
        "completedIndexes": 'Completed iterations, such as "0-57,60".',
        "failedIndexes": 'Iterations that failed after their retries, such as "0-57,60".',
    },
    "IterationRetry": {"index": "Index of the iteration, from 0."},
    "LastIteration": {"index": "Index of the iteration, from 0."},
    "Switch": {"default": "Steps to run if no case matches."},
    "Case": {"when": "Values, as text.", "run": "Steps to run if the value is one of `when`."},
    "Range": {"start": "The first number. Default 0.", "end": "Not included.", "step": "Default 1. May be negative."},
    "JsonPatch": {
        "op": "The operation of RFC 6902.",
        "path": "JSON pointer into the JobSpec, such as /tasks/0/replicas.",
        "from": "Source of move and copy.",
        "value": "The value for add, replace and test.",
    },
    "HttpGet": {"path": "Path and query. Default /.", "httpHeader": "One header to send."},
    "HttpHeader": {"name": "Header's name.", "value": "Header's value."},
    "TaskCounts": {"phase": "Number of pods by their phase."},
    "JobStatus": {
        "minAvailable": "The spec's minAvailable when this was written.",
        "terminating": "Pods being deleted.",
        "version": "Counts the restarts and scalings of the Job.",
        "retryCount": "Restarts counted against maxRetry.",
        "controlledResources": "Plugins whose objects have been created.",
    },
    "PodGroupSpec": {"minResources": "Resources of the minimum number of pods."},
    "SubGroupPolicy": {
        "subGroupSize": "Pods in a sub-group.",
        "minSubGroups": "Sub-groups needed to start.",
        "labelSelector": "Selects the pods.",
        "matchLabelKeys": "Pods with equal values of these labels form a sub-group.",
    },
    "PodGroupCondition": {"transitionID": "ID of the scheduler's session."},
    "QueueSpec": {
        "extendClusters": "Other clusters that may run its Jobs.",
        "affinity": "Node groups to use.",
        "type": "Type of the queue.",
    },
    "QueueStatus": {
        "allocated": "Resources that its groups use.",
        "reservation": "Nodes reserved for it.",
        "inqueue": "Admitted groups.",
        "completed": "Groups that ended.",
    },
    "Guarantee": {"resource": "Resources that are kept free for this queue."},
    "Cluster": {"weight": "Share of the cluster.", "capacity": "Capacity of the cluster."},
    "Reservation": {"nodes": "Names of the nodes.", "resource": "Resources of the nodes."},
    "JobCondition": {"status": "The phase."},
    "TaskStatusProbe": {"phase": "Pending, Running, Succeeded or Failed."},
    "Command": {
        "action": "AbortJob, ResumeJob, ..., SuspendJobFlow, ...: see the sections on Commands in the reference.",
        "reason": "For users.",
        "message": "For users.",
    },
    "JobFlowPolicySpec": {"limits": "Numbers that an object must not exceed.", "required": "Fields that must be set."},
    "JobFlowPolicyStatus": {
        "violations": "Objects that violated it at the last scan.",
        "lastScanTime": "Time of the last scan.",
    },
    "Match": {"kinds": "Kinds that it applies to; empty: all."},
    "Exempt": {"usernames": "Users.", "groups": "Groups of users.", "namespaces": "Namespaces."},
    "Defaults": {
        "queue": "Queue of Jobs.",
        "schedulerName": "Scheduler of Jobs.",
        "priorityClassName": "Priority class of Jobs.",
        "jobRetainPolicy": "jobRetainPolicy of JobFlows.",
        "activeDeadlineSeconds": "activeDeadlineSeconds of JobFlows.",
        "ttlSecondsAfterFinished": "ttlSecondsAfterFinished of JobFlows and Jobs.",
        "labels": "Labels to add.",
        "nodeSelector": "Node labels that pods select.",
    },
    "Limits": {
        "maxSteps": "Steps of a JobFlow.",
        "maxDepth": "Length of the longest chain of steps.",
        "maxParallelism": "parallelism of a JobFlow.",
        "maxRetry": "maxRetry of Jobs and tasks, and retry.limit.",
        "maxActiveDeadlineSeconds": "activeDeadlineSeconds of a JobFlow, which must then be set.",
        "maxTtlSecondsAfterFinished": "ttlSecondsAfterFinished of JobFlows and Jobs, which must then be set.",
    },
    "UsageLists": {
        "queues": "Queues.",
        "schedulerNames": "Schedulers.",
        "priorityClassNames": "Priority classes.",
        "plugins": "Job plugins.",
        "serviceAccounts": "Service accounts of pods.",
    },
    "MatchUsers": {"names": "Names of users.", "groups": "Groups of users."},
    "Required": {"labels": "Labels that the object must have."},
    "PolicyVariable": {"name": "A letter or _, then letters, digits and _.", "expression": "CEL expression."},
    "DefaultValue": {"field": "The field to set."},
    "PolicyRule": {"expression": "CEL expression; true means compliant.", "message": "The message to the user."},
    "LeftToWebhook": {"rule": "The rule.", "why": "Why the API server does not judge it."},
    "PolicyViolation": {"kind": "Kind of the object.", "rule": "The violated rule."},
}
_NODE_GROUPS: Final = {
    "requiredDuringSchedulingIgnoredDuringExecution": "Node groups that must be used.",
    "preferredDuringSchedulingIgnoredDuringExecution": "Node groups that are preferred.",
}


def description(type_: str, field: str) -> str:
    """The text for a field, or ''."""
    return _OF_TYPE.get(type_, {}).get(field) or _ANYWHERE.get(field) or _NODE_GROUPS.get(field, "")
