"""What a Job, template or flow uses: queues, images, schedulers and so on, each with its field.

`allowed` and `denied` of policies share this table, so that both judge the same fields.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from shared.kinds import JOB
from shared.podtemplate.field import Field
from shared.policy.context import JobPart, PolicyContext

_DEFAULT_ACCOUNT: Final = "default"
Uses = Callable[[PolicyContext, JobPart], Iterator[Field]]


def _queues(context: PolicyContext, part: JobPart) -> Iterator[Field]:
    yield part.field.get("queue")


def images(context: PolicyContext, part: JobPart) -> Iterator[Field]:
    """Images of containers, and images that are mounted as volumes."""
    for _, container in part.containers:
        yield container.get("image")
    for pod in part.pods:
        for volume in pod.get("volumes").items:
            yield volume.get("image").get("reference")


def _schedulers(context: PolicyContext, part: JobPart) -> Iterator[Field]:
    yield part.field.get("schedulerName")
    yield from (pod.get("schedulerName") for pod in part.pods)


def _priorities(context: PolicyContext, part: JobPart) -> Iterator[Field]:
    yield part.field.get("priorityClassName")
    yield from (pod.get("priorityClassName") for pod in part.pods)


def _plugins(context: PolicyContext, part: JobPart) -> Iterator[Field]:
    plugins = part.field.get("plugins")
    yield from (Field(f"{plugins.path}[{name}]", name) for name in plugins.keys)


def _accounts(context: PolicyContext, part: JobPart) -> Iterator[Field]:
    """Pods without a name run as `default`. `serviceAccount` is the old name of the field; Kubernetes reads both."""
    for pod in part.pods:
        named = [field for key in ("serviceAccountName", "serviceAccount") if (field := pod.get(key)).text]
        yield from named
        if not named and context.kind is JOB:
            yield Field(f"{pod.path}.serviceAccountName", _DEFAULT_ACCOUNT)


USES: Final[Mapping[str, Uses]] = {
    "queues": _queues,
    "images": images,
    "registries": images,
    "imageTags": images,
    "schedulerNames": _schedulers,
    "priorityClassNames": _priorities,
    "plugins": _plugins,
    "serviceAccounts": _accounts,
}
"""By the name of the field in `allowed` and `denied`."""
