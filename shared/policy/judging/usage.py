"""What a Job, template or flow uses: queues, images, schedulers and so on, each with its field.

`allowed` and `denied` of policies share this table, so that both judge the same fields.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from shared.graphs.nesting import MAX_LEVELS
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


def _resource_kinds(context: PolicyContext) -> Iterator[Field]:
    """What steps with `resource` create, as APIVERSION/KIND, also in flows that are written out in steps."""
    yield from _kinds_of(context.spec, 1) if context.is_flow else ()


def _kinds_of(spec: Field, level: int) -> Iterator[Field]:
    """`level`: of this flow. Deeper ones than may run are refused by the rules of flows."""
    for step in (*spec.get("flows").items, *spec.get("finally").items):
        manifest = step.get("resource").get("manifest")
        if manifest.present:
            said = f"{manifest.get('apiVersion').text}/{manifest.get('kind').text}"
            yield Field(manifest.get("kind").path, said)
        if level < MAX_LEVELS:
            yield from _kinds_of(step.get("flow").get("spec"), level + 1)


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
FLOW_USES: Final[Mapping[str, Callable[[PolicyContext], Iterator[Field]]]] = {"resourceKinds": _resource_kinds}
"""The same for what a flow itself uses, rather than the JobSpecs in it."""
