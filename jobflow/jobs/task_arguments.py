"""The keyword arguments of Task, which a Job with one task takes too."""

from collections.abc import Mapping, Sequence
from typing import Final, TypedDict

from jobflow.expressions.cel_value import CelValue
from jobflow.manifests.json_values import Json, Text

Policies = Mapping[str | int | tuple[str, ...], str] | Sequence[Mapping[str, Json]]
"""`{"PodEvicted": "RestartJob", 3: "TerminateJob"}`: action by event, several events, or exit code; or policies in
full."""
EnvValue = Text | Mapping[str, Json]
"""A text, or a source such as `secret(...)`."""


class PodArguments(TypedDict, total=False):
    """One container and its pod.

    `command`: a list of words, or a line that is split into words as a shell would, without running one; `script`:
    lines for `sh`; they cannot hold references, whose values could be read as commands: pass those by `env`; `cpu`,
    `memory`: requests; `gpus`: of `gpu_resource`, nvidia.com/gpu; `resources`: in full, instead of these;
    `restart_policy`: Never if not said, "" for none; `container`, `pod`: any other fields of the container and of the
    pod's spec, laid over what the others make; `template`: a whole pod template, instead of all others.
    """

    image: str | CelValue
    command: str | Sequence[str | CelValue]
    script: str
    args: Sequence[Text]
    env: Mapping[str, EnvValue]
    cpu: Text
    memory: str | CelValue
    gpus: Text
    gpu_resource: str
    resources: Mapping[str, Json]
    working_dir: str | CelValue
    service_account: str
    node_selector: Mapping[str, str]
    tolerations: Sequence[Mapping[str, Json]]
    image_pull_secrets: Sequence[str]
    restart_policy: str
    labels: Mapping[str, Text]
    annotations: Mapping[str, Text]
    container: Mapping[str, Json]
    pod: Mapping[str, Json]
    template: Mapping[str, Json]


class TaskArguments(PodArguments, total=False):
    """A set of equal pods. `after`: tasks of the Job that must come first; `after_condition`: Completed (default) or
    Ready."""

    replicas: int
    min_available: int
    policies: Policies
    max_retry: int
    after: Sequence[str]
    after_condition: str
    after_iteration: str
    topology_policy: str
    partition_policy: Mapping[str, Json]


TASK_ARGUMENTS: Final = tuple(TaskArguments.__annotations__)
