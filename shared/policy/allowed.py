"""`allowed`: the queues, images, schedulers, priority classes, plugins and service accounts that may be used."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from shared.kinds import JOB
from shared.podtemplate.field import Field
from shared.policy.context import JobPart, PolicyContext
from shared.policy.fault import PolicyFault
from shared.policy.globs import Globs, names_of_image
from shared.violation import Reason

Uses = Callable[[PolicyContext, JobPart], Iterator[Field]]
_SHOWN: Final = 10
_DEFAULT_ACCOUNT: Final = "default"


def allowed_faults(allowed: Mapping[str, Globs], context: PolicyContext) -> Iterator[PolicyFault]:
    """The values that no pattern allows. `allowed`: patterns by the API name of the field."""
    for name, patterns in allowed.items():
        for part in context.jobs:
            for field in USES[name](context, part):
                if part.says(field) and not patterns.fits(*_names(name, field.text)):
                    message = f"not allowed; allowed: {_listed(patterns.texts)}"
                    yield PolicyFault(f"allowed.{name}", field.path, message, field.text, Reason.INVALID)


def _names(name: str, text: str) -> Iterable[str]:
    return names_of_image(text) if name == "images" else (text,)


def _listed(texts: tuple[str, ...]) -> str:
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _queues(context: PolicyContext, part: JobPart) -> Iterator[Field]:
    yield part.field.get("queue")


def _images(context: PolicyContext, part: JobPart) -> Iterator[Field]:
    for _, container in part.containers:
        yield container.get("image")
    for pod in part.pods:
        for volume in pod.get("volumes").items:
            yield volume.get("image").get("reference")  # an image mounted as a volume


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
    "images": _images,
    "schedulerNames": _schedulers,
    "priorityClassNames": _priorities,
    "plugins": _plugins,
    "serviceAccounts": _accounts,
}
