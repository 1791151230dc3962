"""A task: a set of equal pods of a Job."""

from typing import Unpack

from jobflow.jobs.pods import pod_template
from jobflow.jobs.task_arguments import TASK_ARGUMENTS, Policies, TaskArguments
from jobflow.manifests.json_values import Plain, check_arguments, plain, without_none
from jobflow.manifests.placed import Origin, Origins, below
from jobflow.manifests.spots import Spot, here
from shared.model.types import Body

_PATHS = {
    "replicas": "replicas",
    "min_available": "minAvailable",
    "policies": "policies",
    "max_retry": "maxRetry",
    "after": "dependsOn",
    "after_condition": "dependsOn.condition",
    "after_iteration": "dependsOn.iteration",
    "topology_policy": "topologyPolicy",
    "partition_policy": "partitionPolicy",
}


class TaskSetup:
    """`Task("worker", image="img", replicas=4, gpus=1)`, one of the `tasks` of a Job."""

    def __init__(self, name: str, **arguments: Unpack[TaskArguments]) -> None:
        check_arguments("Task", arguments, TASK_ARGUMENTS)
        self.name = name
        self.spot = here()
        self.body, self.origins = task(name, arguments, self.spot)

    def __repr__(self) -> str:
        return f"Task({self.name!r})"

    @property
    def replicas(self) -> int:
        return int(self.body["replicas"])


def task(name: str, arguments: TaskArguments, spot: Spot) -> tuple[Body, Origins]:
    """The TaskSpec, and which argument wrote each of its fields."""
    template, written = pod_template(arguments, spot)
    after = without_none(
        name=arguments.get("after"),
        iteration=arguments.get("after_iteration"),
        condition=arguments.get("after_condition"),
    )
    body = without_none(
        name=name or None,
        replicas=arguments.get("replicas", 1),
        minAvailable=arguments.get("min_available"),
        policies=policies(arguments["policies"]) if "policies" in arguments else None,
        maxRetry=arguments.get("max_retry"),
        dependsOn=after or None,
        topologyPolicy=arguments.get("topology_policy"),
        partitionPolicy=arguments.get("partition_policy"),
        template=template,
    )
    origins = {path: Origin(spot, argument) for argument, path in _PATHS.items() if argument in arguments}
    return body, {"": Origin(spot), **below("template", written), **origins}


def policies(given: Policies) -> list[Plain]:
    """Volcano's LifecyclePolicies."""
    if not hasattr(given, "items"):
        return [plain(each) for each in given]
    return [_policy(when, action) for when, action in given.items()]


def _policy(when: str | int | tuple[str, ...], action: str) -> Plain:
    if isinstance(when, int):
        return {"exitCode": when, "action": action}
    return {"event": when, "action": action} if isinstance(when, str) else {"events": list(when), "action": action}
