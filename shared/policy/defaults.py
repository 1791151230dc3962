"""`defaults`: values that policies set for absent fields, on CREATE only. Returns them as data."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, Kind
from shared.model.phases import PolicyMode
from shared.model.policy import Defaults
from shared.names import DEFAULT_MAX_RETRY, DEFAULT_QUEUE
from shared.podtemplate.field import Field
from shared.policy.compile import CompiledPolicy
from shared.policy.context import PolicyContext
from shared.policy.match import applies

Path = tuple[str | int, ...]


class Default(NamedTuple):
    """A field and the value to set."""

    path: Path
    value: Any


def defaults(context: PolicyContext, policies: Iterable[CompiledPolicy]) -> tuple[Default, ...]:
    """The values to set, one for each field. Policies apply in the order of their names; the first that sets a field wins.

    Policies in mode Audit set nothing. Idempotent: nothing is set in an object that already has all values.
    """
    found: dict[Path, Default] = {}
    for policy in policies:
        if policy.mode is PolicyMode.AUDIT or not _says(policy) or not applies(policy, context):
            continue
        for default in (*_set(policy.spec.defaults, context), *_capped(policy, context)):
            # If an earlier policy has set a whole list, later policies do not change the maps in it.
            if not any(default.path[:end] in found for end in range(1, len(default.path) + 1)):
                found[default.path] = default
    return tuple(found.values())


def _says(policy: CompiledPolicy) -> bool:
    limits = policy.spec.limits
    return policy.spec.defaults is not None or (limits is not None and limits.max_retry is not None)


def _set(wanted: Defaults | None, context: PolicyContext) -> Iterator[Default]:
    if wanted is None:
        return
    for name, (attribute, kinds) in _SCALARS.items():
        value = getattr(wanted, attribute)
        if value not in (None, "") and context.kind in kinds and _absent(context, name):
            yield Default(("spec", name), value)
    if wanted.ttl_seconds_after_finished is not None and _stands_alone(context) and _absent(context, _TTL):
        yield Default(("spec", _TTL), wanted.ttl_seconds_after_finished)
    for key, value in wanted.labels.items():
        if key not in context.labels:
            yield Default(("metadata", "labels", key), value)
    if not context.is_flow:
        yield from _pods(wanted, context)


def _pods(wanted: Defaults, context: PolicyContext) -> Iterator[Default]:
    for index, pod in enumerate(context.jobs[0].pods):
        if not pod.holds:
            continue  # not a pod: the webhook's rules report it
        path: Path = ("spec", "tasks", index, "template", "spec")
        for key, value in wanted.node_selector.items():
            if not pod.get("nodeSelector").key(key).present:
                yield Default((*path, "nodeSelector", key), value)
        if wanted.tolerations and not pod.get("tolerations").holds:
            yield Default((*path, "tolerations"), list(wanted.tolerations))


def _capped(policy: CompiledPolicy, context: PolicyContext) -> Iterator[Default]:
    """A Job without maxRetry gets at most what limits.maxRetry allows, so that the limit does not refuse the default."""
    most = policy.spec.limits.max_retry if policy.spec.limits else None
    if context.kind is not JOB or most is None or most >= DEFAULT_MAX_RETRY:
        return
    if not context.spec.get("maxRetry").present:
        yield Default(("spec", "maxRetry"), most)
    for index, task in enumerate(context.jobs[0].tasks):
        if not task.get("maxRetry").present:
            yield Default(("spec", "tasks", index, "maxRetry"), most)


def _absent(context: PolicyContext, name: str) -> bool:
    field: Field = context.spec.get(name)
    if name == "queue" and context.crd_defaults and field.text == DEFAULT_QUEUE:
        return True  # set by Volcano's CRD, not by the user
    return field.value in (None, "")


def _stands_alone(context: PolicyContext) -> bool:
    """Jobs of a flow are deleted with their flow, so neither they nor templates get a TTL."""
    return context.is_flow or (context.kind is JOB and not context.of_a_flow)


_TTL: Final = "ttlSecondsAfterFinished"
_JOBS: Final = (JOB, JOBTEMPLATE)
_SCALARS: Final[Mapping[str, tuple[str, tuple[Kind, ...]]]] = {
    "queue": ("queue", _JOBS),
    "schedulerName": ("scheduler_name", _JOBS),
    "priorityClassName": ("priority_class_name", _JOBS),
    "jobRetainPolicy": ("job_retain_policy", (JOBFLOW,)),
    "activeDeadlineSeconds": ("active_deadline_seconds", (JOBFLOW,)),
}
