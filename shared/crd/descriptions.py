"""Descriptions of API fields whose models carry none.

The CRDs and the field reference need a text for every field. Where the name of a field is clear to readers of the
code, the model has no description, and the text for users stands here.
"""

from collections.abc import Mapping
from typing import Final

# For every type that has a field of this name.
_ANYWHERE: Final[Mapping[str, str]] = {
    "name": "Its name.",
    "namespace": "Its namespace.",
    "reason": "One word: why.",
    "message": "The same in a sentence.",
    "observedGeneration": "The metadata.generation that this status speaks of.",
    "startTime": "When it began.",
    "completionTime": "When it ended.",
    "startTimestamp": "When it began.",
    "endTimestamp": "When it ended.",
    "createTime": "When it was made.",
    "lastTransitionTime": "When it last changed.",
    "exitCode": "Exit code of the first container.",
    "outputs": "Values that it put out, by name.",
    "phase": "Where it is.",
    "status": "True, False or Unknown.",
    "type": "What the condition is about.",
    "total": "All of them.",
    "running": "Those that run.",
    "pending": "Those that wait to run.",
    "succeeded": "Those that succeeded.",
    "failed": "Those that failed.",
    "unknown": "Those of which nothing is known.",
    "state": "Where it is, and why.",
    "taskName": "A task of a target's Job.",
    "port": "Port number, on the pods' own addresses.",
    "queue": "Queue it waits in.",
    "priorityClassName": "Priority class; it must be there.",
    "parent": "The queue above it; default root.",
    "value": "Its value.",
    "conditions": "What holds of it, and since when.",
}
_OF_TYPE: Final[Mapping[str, Mapping[str, str]]] = {
    "JobFlowStatus": {
        "pendingJobs": "Jobs that wait for room.",
        "runningJobs": "Jobs that run, or are between two phases.",
        "failedJobs": "Jobs that failed.",
        "completedJobs": "Jobs that completed.",
        "terminatedJobs": "Jobs that were terminated.",
        "startTime": "The first moment that it was not suspended.",
        "completionTime": "When all steps and `finally` had ended; wait for this field.",
        "counts": "Steps by what became of them.",
        "nextSummary": "`next` in a line.",
        "handledCommands": "Uids of the last 20 Commands that took effect.",
    },
    "Param": {"name": "A letter or _, then letters, digits and _.", "value": "Always a string."},
    "JobEntry": {"restartCount": "How often the Job was restarted."},
    "StepCounts": {
        "waiting": "Not begun.",
        "running": "Pending, Running, Retrying or Suspended.",
        "completed": "Completed.",
        "failed": "Failed or Terminated.",
        "skipped": "Skipped.",
    },
    "StepStatus": {
        "exitCode": "Of the last attempt; 0 when nothing failed.",
        "itemsHash": "What a loop's items were when it began.",
    },
    "NextStep": {"waitingFor": "In words: `waits for b`, `retry 2/3 in 40s`, `parallelism 4 reached`."},
    "Attempt": {"job": "Its Job."},
    "Iterations": {
        "total": "How many there are; absent until it is known.",
        "completedIndexes": 'Those that completed, as "0-57,60".',
        "failedIndexes": 'Those that failed, as "0-57,60".',
    },
    "IterationRetry": {"index": "Which iteration, from 0 on."},
    "LastIteration": {"index": "Which iteration, from 0 on."},
    "Switch": {"default": "Steps to run when no case matches."},
    "Case": {"when": "Values, as text.", "run": "Steps to run when the value is one of them."},
    "Range": {"start": "The first number; default 0.", "end": "Not included.", "step": "Default 1; may be negative."},
    "JsonPatch": {
        "op": "What to do.",
        "path": "JSON pointer into the JobSpec: /tasks/0/replicas.",
        "from": "Source of move and copy.",
        "value": "For add, replace and test.",
    },
    "HttpGet": {"path": "Path and query; default /.", "httpHeader": "One header to send."},
    "HttpHeader": {"name": "Header's name.", "value": "Header's value."},
    "TaskCounts": {"phase": "Number of pods by their phase."},
    "JobStatus": {
        "minAvailable": "The spec's, when this was written.",
        "terminating": "Pods being deleted.",
        "version": "Counts the restarts and scalings of the Job.",
        "retryCount": "Restarts counted against maxRetry.",
        "controlledResources": "Plugins whose objects were made.",
    },
    "PodGroupSpec": {"minResources": "What the minimum of its pods asks for."},
    "SubGroupPolicy": {
        "subGroupSize": "Pods in a sub-group.",
        "minSubGroups": "Sub-groups needed to start.",
        "labelSelector": "Pods that it is about.",
        "matchLabelKeys": "Pods alike in these labels are one sub-group.",
    },
    "PodGroupCondition": {"transitionID": "Of the scheduler's session."},
    "QueueSpec": {"extendClusters": "Further clusters that may run its jobs.", "affinity": "Node groups to use."},
    "QueueStatus": {
        "allocated": "What its groups hold.",
        "reservation": "Nodes locked for it.",
        "inqueue": "Groups that were let in.",
        "completed": "Groups that ended.",
    },
    "Guarantee": {"resource": "Kept free for this queue."},
    "Cluster": {"weight": "Its share.", "capacity": "What it has."},
    "Reservation": {"nodes": "Their names.", "resource": "What they have."},
    "JobCondition": {"status": "The phase."},
    "TaskStatusProbe": {"phase": "Pending, Running, Succeeded or Failed."},
    "Command": {
        "action": "AbortJob, ResumeJob, ..., SuspendJobFlow, ...: see the page on commands.",
        "reason": "For people.",
        "message": "For people.",
    },
    "JobFlowPolicySpec": {"limits": "Numbers that must not be exceeded.", "required": "What must be there."},
    "JobFlowPolicyStatus": {"violations": "Objects that break it, at the last scan.", "lastScanTime": "The last scan."},
    "Match": {"kinds": "Kinds it is about; none named: all."},
    "Exempt": {"usernames": "Users.", "groups": "Groups of users.", "namespaces": "Namespaces."},
    "Defaults": {
        "queue": "Queue of Jobs.",
        "schedulerName": "Scheduler of Jobs.",
        "priorityClassName": "Priority class of Jobs.",
        "jobRetainPolicy": "Of JobFlows.",
        "activeDeadlineSeconds": "Of JobFlows.",
        "ttlSecondsAfterFinished": "Of JobFlows and Jobs.",
        "labels": "Labels to add.",
        "nodeSelector": "Node labels that pods ask for.",
    },
    "Limits": {
        "maxSteps": "Steps of a flow.",
        "maxDepth": "Steps one after the other.",
        "maxParallelism": "A flow's parallelism.",
        "maxRetry": "maxRetry of Jobs and tasks, and retry.limit.",
        "maxActiveDeadlineSeconds": "A flow's activeDeadlineSeconds, which must then be set.",
        "maxTtlSecondsAfterFinished": "Of flows and Jobs.",
    },
    "Allowed": {
        "queues": "Queues.",
        "schedulerNames": "Schedulers.",
        "priorityClassNames": "Priority classes.",
        "plugins": "Job plugins.",
        "serviceAccounts": "Service accounts of pods.",
    },
    "Required": {"labels": "Labels that the object must bear."},
    "PolicyRule": {"expression": "CEL bool; true is compliant.", "message": "What the user is told."},
    "PolicyViolation": {"kind": "Kind of the object.", "rule": "The rule it breaks."},
}
_NODE_GROUPS: Final = {
    "requiredDuringSchedulingIgnoredDuringExecution": "Node groups that must be used.",
    "preferredDuringSchedulingIgnoredDuringExecution": "Node groups that are tried first.",
}


def description(type_: str, field: str) -> str:
    """The text for a field, or ''."""
    return _OF_TYPE.get(type_, {}).get(field) or _ANYWHERE.get(field) or _NODE_GROUPS.get(field, "")
