"""Volcano's Job (batch.volcano.sh/v1alpha1): metadata and spec.

See docs/design/volcano-behaviour.md, sections 1.1 to 1.4.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from shared.model.job_status import JobStatus
from shared.model.meta import ObjectMeta
from shared.model.phases import JobEvent, TaskCondition
from shared.model.types import DNS_LABEL, DNS_SUBDOMAIN, Count, Duration, Int32, IntOrString, Model, Positive, Raw


class TopologyMode(StrEnum):
    HARD = "hard"
    SOFT = "soft"


class NumaPolicy(StrEnum):
    NONE = "none"
    BEST_EFFORT = "best-effort"
    RESTRICTED = "restricted"
    SINGLE_NUMA_NODE = "single-numa-node"


class NetworkTopology(Model, frozen=True, kw_only=True):
    """How close together the pods must be placed; read by Volcano's scheduler."""

    mode: Annotated[TopologyMode | None, Meta(description="hard: required; soft: best effort. Default hard.")] = None
    highest_tier_allowed: Annotated[
        Count | None, Meta(description="Highest tier a job may span; excludes highestTierName.")
    ] = None
    highest_tier_name: Annotated[
        Annotated[str, Meta(max_length=253)] | None,
        Meta(description="Name of the highest tier a job may span; excludes highestTierAllowed."),
    ] = None


class ExitCodeOperator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"


class ExitCodes(Model, frozen=True, kw_only=True):
    """A set of exit codes. 0 is never in it, because it is a success."""

    operator: Annotated[
        ExitCodeOperator, Meta(description="In: one of `values`; NotIn: another code than these and 0.")
    ] = ExitCodeOperator.IN
    values: Annotated[
        tuple[IntOrString, ...], Meta(min_length=1, max_length=255, description='Codes and ranges: 137, "1-127".')
    ]


class PodConditionPattern(Model, frozen=True, kw_only=True):
    """A condition of a pod, as in podFailurePolicy.onPodConditions of a Kubernetes Job."""

    type: Annotated[str, Meta(min_length=1, max_length=316, description="For example DisruptionTarget.")]
    status: Annotated[str, Meta(description="True, False or Unknown.")] = "True"


class LifecyclePolicy(Model, frozen=True, kw_only=True):
    """An action on an event of a pod, task or Job.

    Policies of a task are checked before those of the Job; the first match applies.
    """

    action: Annotated[
        str,
        Meta(
            description="AbortJob, RestartJob, RestartTask, RestartPod, RestartPartition, TerminateJob, CompleteJob or ResumeJob."
        ),
    ] = ""
    event: Annotated[JobEvent | None, Meta(description="The event to react to; excludes exitCode.")] = None
    events: Annotated[tuple[JobEvent, ...], Meta(description="Events to react to, in addition to `event`.")] = ()
    exit_code: Annotated[
        Int32 | None, Meta(description="React when a pod's first container fails with this code; excludes events.")
    ] = None
    exit_codes: Annotated[
        ExitCodes | None,
        Meta(description="React when a pod's first container fails with one of these codes; excludes the others."),
    ] = None
    pod_conditions: Annotated[
        tuple[PodConditionPattern, ...],
        Meta(
            max_length=20,
            description="React when a pod that failed or was evicted has one of these; excludes the others.",
        ),
    ] = ()
    timeout: Annotated[
        Duration | None,
        Meta(description="Act only if the event still holds after this time (Go duration). Required for PodPending."),
    ] = None


class VolumeSpec(Model, frozen=True, kw_only=True):
    """A claim mounted into every container of the Job: an existing one by name or a new one by spec."""

    mount_path: Annotated[
        str,
        Meta(
            min_length=1,
            extra_json_schema={"pattern": "^[^:]+$"},
            description="Where to mount it; must not contain ':'.",
        ),
    ]
    volume_claim_name: Annotated[
        Annotated[str, Meta(max_length=253)] | None, Meta(description="An existing PersistentVolumeClaim.")
    ] = None
    volume_claim: Annotated[
        Raw | None, Meta(description="Spec of a PersistentVolumeClaim to create, named JOB-pvc-INDEX.")
    ] = None


class TaskDependsOn(Model, frozen=True, kw_only=True):
    """The tasks to wait for, and the state that they must reach."""

    name: Annotated[tuple[str, ...], Meta(description="Tasks of this Job to wait for.")] = ()
    iteration: Annotated[
        str | None, Meta(description="all (default): every named task; any: one of them is enough.")
    ] = None
    condition: Annotated[
        TaskCondition | None,
        Meta(
            description="Completed: the tasks' pods succeeded (default); Ready: they run and are ready (Volcano's meaning)."
        ),
    ] = None


class PartitionPolicy(Model, frozen=True, kw_only=True):
    """Splits a task's replicas into equal groups that are placed and restarted as one."""

    total_partitions: Annotated[Positive, Meta(description="Number of partitions.")]
    partition_size: Annotated[
        Positive, Meta(description="Pods in a partition; totalPartitions * partitionSize must equal replicas.")
    ]
    min_partitions: Annotated[Count | None, Meta(description="Partitions needed to start. Default 0: all pods.")] = None
    network_topology: NetworkTopology | None = None


class TaskSpec(Model, frozen=True, kw_only=True):
    """A group of identical pods of a Job."""

    name: Annotated[
        str,
        Meta(
            max_length=63,
            extra_json_schema={"pattern": DNS_LABEL},
            description="Unique in the Job. Default `default` and the task's index.",
        ),
    ] = ""
    replicas: Annotated[Count, Meta(description="Number of pods.")] = 0
    min_available: Annotated[
        Count | None,
        Meta(description="Pods of this task that the gang needs. Default minPartitions*partitionSize or replicas."),
    ] = None
    template: Annotated[Raw, Meta(description="Template of the pods (core/v1 PodTemplateSpec).")] = {}
    policies: tuple[LifecyclePolicy, ...] = ()
    topology_policy: Annotated[
        NumaPolicy | None, Meta(description="NUMA policy. Unless it is none, whole CPUs are required.")
    ] = None
    max_retry: Annotated[
        Count | None,
        Meta(
            description="Restarts of this task's pods, task or partitions before TaskFailed is raised. Default: maxRetry of the Job."
        ),
    ] = None
    depends_on: Annotated[TaskDependsOn | None, Meta(description="Tasks that must be ready or completed first.")] = None
    partition_policy: PartitionPolicy | None = None


class JobSpec(Model, frozen=True, kw_only=True):
    """The tasks, the number of pods that must start together, and the policies."""

    scheduler_name: Annotated[
        str, Meta(max_length=63, description="Scheduler of pods whose template has none. Default volcano.")
    ] = ""
    min_available: Annotated[
        Count | None, Meta(description="Pods that must be able to start together. Default the sum over tasks.")
    ] = None
    min_success: Annotated[Positive | None, Meta(description="Succeeded pods that make the Job Completed at once.")] = (
        None
    )
    volumes: tuple[VolumeSpec, ...] = ()
    tasks: Annotated[tuple[TaskSpec, ...], Meta(min_length=1)] | None = None
    policies: Annotated[tuple[LifecyclePolicy, ...], Meta(description="Default policies of all tasks.")] = ()
    plugins: Annotated[
        dict[str, tuple[str, ...] | None] | None,
        Meta(
            description="Plugins by name with their arguments: ssh, svc, env, tensorflow, pytorch, mpi, ray, hcclrank."
        ),
    ] = None
    running_estimate: Annotated[
        Duration | None, Meta(description="Estimated running time; status.expectedEndTime is computed from it.")
    ] = None
    queue: Annotated[
        str,
        Meta(
            max_length=253,
            extra_json_schema={"pattern": f"^$|{DNS_SUBDOMAIN}"},
            description="The queue of the Job. Default `default`.",
        ),
    ] = ""
    max_retry: Annotated[
        Count | None, Meta(description="Restarts of the whole Job before it is Failed; 0: none. Default 3.")
    ] = None
    ttl_seconds_after_finished: Annotated[
        Count | None, Meta(description="Seconds after its end until it is deleted; absent: kept.")
    ] = None
    priority_class_name: Annotated[str, Meta(max_length=253, extra_json_schema={"pattern": f"^$|{DNS_SUBDOMAIN}"})] = ""
    network_topology: NetworkTopology | None = None
    suspend: Annotated[
        bool,
        Meta(
            description="true: the Job is aborted, or starts Aborted, without PodGroup and pods; false: it is resumed."
        ),
    ] = False
    active_deadline_seconds: Annotated[
        Positive | None,
        Meta(
            description="Seconds from its first running pod after which the Job is Failed; counted again after a resume."
        ),
    ] = None
    managed_by: Annotated[
        str,
        Meta(
            max_length=63,
            description="Name of another controller that runs the Job. Immutable; empty: this controller.",
        ),
    ] = ""


class Job(Model, frozen=True, kw_only=True):
    """A gang of tasks run to completion."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()
