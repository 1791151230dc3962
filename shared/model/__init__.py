"""The API types as frozen models.

An attribute is the JSON name in snake_case. `if`, `for`, `while`, `finally` and `from` get a trailing underscore.
"""

from shared.model.command import Command
from shared.model.flow import JobFlow, JobFlowSpec, Param
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.job import Job, JobSpec, LifecyclePolicy, TaskSpec
from shared.model.job_status import JobStatus
from shared.model.meta import ObjectMeta, OwnerReference
from shared.model.podgroup import PodGroup
from shared.model.policy import JobFlowPolicy
from shared.model.queue import Queue
from shared.model.schedules.cron_job import CronJob
from shared.model.step import Step
from shared.model.template import JobTemplate

__all__ = [
    "Command",
    "CronJob",
    "Job",
    "JobFlow",
    "JobFlowPolicy",
    "JobFlowSpec",
    "JobFlowStatus",
    "JobSpec",
    "JobStatus",
    "JobTemplate",
    "LifecyclePolicy",
    "ObjectMeta",
    "OwnerReference",
    "Param",
    "PodGroup",
    "Queue",
    "Step",
    "StepStatus",
    "TaskSpec",
]
