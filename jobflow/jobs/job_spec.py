"""A JobSpec from keyword arguments. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from jobflow.jobs.arguments import JOB_ARGUMENTS, OF_THE_JOB, JobArguments
from jobflow.jobs.plugins import Plugin
from jobflow.jobs.task import policies, task
from jobflow.jobs.task_arguments import TASK_ARGUMENTS, TaskArguments
from jobflow.manifests.json_values import (
    Json,
    Plain,
    check_arguments,
    duration,
    merged,
    plain,
    whole_seconds,
    without_none,
)
from jobflow.manifests.placed import Origin, Origins, below, by_key
from jobflow.manifests.spots import Spot
from shared.model.types import Body

TASK: Final = "main"
_PATHS: Final = {
    "gang": "minAvailable",
    "min_available": "minAvailable",
    "min_success": "minSuccess",
    "queue": "queue",
    "priority": "priorityClassName",
    "plugins": "plugins",
    "volumes": "volumes",
    "ttl": "ttlSecondsAfterFinished",
    "running_estimate": "runningEstimate",
    "scheduler": "schedulerName",
    "network_topology": "networkTopology",
    "policies": "policies",
    "max_retry": "maxRetry",
    "tasks": "tasks",
}


def job_spec(where: str, arguments: JobArguments, spot: Spot) -> tuple[Body, Origins]:
    """The spec, and the argument that wrote each of its fields. `where`: the subject of error messages."""
    check_arguments(where, arguments, JOB_ARGUMENTS)
    if "spec" in arguments:
        if len(arguments) > 1:
            raise TypeError(f"{where}: spec= is the whole JobSpec, so nothing else can be given")
        return merged({}, arguments["spec"]), {"": Origin(spot, "spec")}
    tasks, written = _tasks(where, arguments, spot)
    body = without_none(
        minAvailable=_minimum(where, arguments, tasks),
        minSuccess=arguments.get("min_success"),
        queue=arguments.get("queue"),
        priorityClassName=arguments.get("priority"),
        schedulerName=arguments.get("scheduler"),
        maxRetry=arguments.get("max_retry"),
        ttlSecondsAfterFinished=whole_seconds(arguments["ttl"], "ttl") if "ttl" in arguments else None,
        runningEstimate=duration(arguments["running_estimate"], "running_estimate")
        if "running_estimate" in arguments
        else None,
        plugins=_plugins(arguments) if "plugins" in arguments else None,
        policies=policies(arguments["policies"]) if "policies" in arguments else None,
        volumes=_volumes(arguments["volumes"]) if "volumes" in arguments else None,
        networkTopology=arguments.get("network_topology"),
        tasks=tasks,
    )
    body |= merged({}, arguments.get("job", {}))
    written |= {field: Origin(spot, "job", field) for field in arguments.get("job", {})}
    origins = {path: Origin(spot, name) for name, path in _PATHS.items() if name in arguments}
    volumes = arguments.get("volumes", ())
    mounts = by_key("volumes", "volumes", volumes if isinstance(volumes, Mapping) else (), spot)
    return body, {"": Origin(spot), **origins, **mounts, **written}


def _tasks(where: str, arguments: JobArguments, spot: Spot) -> tuple[list[Body], Origins]:
    if "tasks" in arguments:
        mixed = sorted(name for name in arguments if name in TASK_ARGUMENTS and name not in OF_THE_JOB)
        if mixed:
            raise TypeError(f"{where} has tasks, so {', '.join(mixed)} belong to them: Task(..., {mixed[0]}=...)")
        found = list(arguments["tasks"])
        origins: Origins = {}
        for place, each in enumerate(found):
            origins |= below(f"tasks[{place}]", each.origins)
        return [each.body for each in found], origins
    own = cast(TaskArguments, {name: value for name, value in arguments.items() if name not in OF_THE_JOB})
    body, written = task(TASK, own, spot)
    return [body], below("tasks[0]", written)


def _minimum(where: str, arguments: JobArguments, tasks: list[Body]) -> int | None:
    if "gang" not in arguments:
        return arguments.get("min_available")
    if "min_available" in arguments:
        raise TypeError(f"{where}: give gang= or min_available=, not both")
    return sum(int(each["replicas"]) for each in tasks) if arguments["gang"] else 1


def _plugins(arguments: JobArguments) -> dict[str, Plain]:
    given = arguments["plugins"]
    if isinstance(given, Mapping):
        return {name: plain(options) for name, options in given.items()}
    found = (each if isinstance(each, Plugin) else Plugin(each) for each in given)
    return {each.name: list(each.arguments) for each in found}


def _volumes(given: Mapping[str, str | Mapping[str, Json]] | Sequence[Mapping[str, Json]]) -> list[Plain]:
    if isinstance(given, Mapping):
        return [_volume(path, claim) for path, claim in given.items()]
    return [plain(each) for each in given]


def _volume(path: str, claim: str | Mapping[str, object]) -> Plain:
    if isinstance(claim, str):
        return {"mountPath": path, "volumeClaimName": claim} if claim else {"mountPath": path}
    return {"mountPath": path, "volumeClaim": plain(claim)}
