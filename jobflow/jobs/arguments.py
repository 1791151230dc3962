"""The keyword arguments of Job and JobTemplate."""

from collections.abc import Mapping, Sequence
from typing import Final, TypedDict

from jobflow.jobs.plugins import Plugin
from jobflow.jobs.task import TaskSetup
from jobflow.jobs.task_arguments import Policies, TaskArguments
from jobflow.manifests.json_values import Json, Span


class JobArguments(TaskArguments, total=False):
    """A Job of one task, or of `tasks`.

    `gang`: True, the default, starts all pods together or none; False starts them as they fit; `min_available`: so many
    together; `min_success`: so many succeeded pods complete the Job; `volumes`: claims by mount path, by name or by spec;
    `ttl`: how long the Job is kept after its end; `max_retry`: restarts of the whole Job by its policies; `job`: any
    other fields of the JobSpec; `spec`: the whole JobSpec, instead of all others.
    """

    tasks: Sequence[TaskSetup]
    gang: bool
    min_success: int
    queue: str
    priority: str
    plugins: Sequence[str | Plugin] | Mapping[str, Sequence[str] | None]
    volumes: Mapping[str, str | Mapping[str, Json]] | Sequence[Mapping[str, Json]]
    ttl: Span
    running_estimate: Span
    scheduler: str
    network_topology: Mapping[str, Json]
    job: Mapping[str, Json]
    spec: Mapping[str, Json]


class GangArguments(TypedDict, total=False):
    """The arguments of a Job that the presets of frameworks set."""

    tasks: Sequence[TaskSetup]
    gang: bool
    max_retry: int
    plugins: Sequence[str | Plugin]
    policies: Policies


JOB_ARGUMENTS: Final = tuple(JobArguments.__annotations__)
OF_THE_JOB: Final = (
    "tasks", "gang", "min_available", "min_success", "queue", "priority", "plugins", "volumes", "ttl",
    "running_estimate", "scheduler", "network_topology", "job", "policies", "max_retry",
)  # fmt: skip
"""Arguments that a Job does not pass on to its one task."""
