"""`defaults`: values that policies set for absent fields, on CREATE only. Returns them as data."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, Kind
from shared.model.phases import PolicyMode
from shared.model.policy import DefaultField, Defaults
from shared.names import DEFAULT_MAX_RETRY, DEFAULT_QUEUE
from shared.podtemplate.field import Field
from shared.policy.compiled.policy import CompiledDefault, CompiledPolicy
from shared.policy.compiled.variables import values_of
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
        for default in (*_set(_computed(policy, context), context), *_capped(policy, context)):
            # If an earlier policy has set a whole list, later policies do not change the maps in it.
            if not any(default.path[:end] in found for end in range(1, len(default.path) + 1)):
                found[default.path] = default
    return tuple(found.values())


def _says(policy: CompiledPolicy) -> bool:
    limits = policy.spec.limits
    return policy.spec.defaults is not None or (limits is not None and limits.max_retry is not None)


def _computed(policy: CompiledPolicy, context: PolicyContext) -> Defaults | None:
    """The defaults with those that expressions compute. An expression that fails sets nothing."""
    wanted = policy.spec.defaults
    if wanted is None or not policy.default_values:
        return wanted
    values = values_of(policy.variables, context)
    for default in policy.default_values:
        value = values.evaluate(default.program)
        wanted = _with_value(wanted, default, value)
    return wanted


def _with_value(wanted: Defaults, default: CompiledDefault, value: Any) -> Defaults:
    """`wanted` with a value of the type that the field takes; unchanged for any other value."""
    if default.field in _SECONDS:
        valid = isinstance(value, int) and not isinstance(value, bool) and value >= _SECONDS[default.field]
        return msgspec.structs.replace(wanted, **{_ATTRIBUTES[default.field]: value}) if valid else wanted
    if not isinstance(value, str) or not value:
        return wanted
    if default.field is DefaultField.LABELS:
        return msgspec.structs.replace(wanted, labels={**wanted.labels, default.key: value})
    if default.field is DefaultField.NODE_SELECTOR:
        return msgspec.structs.replace(wanted, node_selector={**wanted.node_selector, default.key: value})
    return msgspec.structs.replace(wanted, **{_ATTRIBUTES[default.field]: value})


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


_ATTRIBUTES: Final[Mapping[DefaultField, str]] = {
    DefaultField.QUEUE: "queue",
    DefaultField.SCHEDULER_NAME: "scheduler_name",
    DefaultField.PRIORITY_CLASS_NAME: "priority_class_name",
    DefaultField.ACTIVE_DEADLINE_SECONDS: "active_deadline_seconds",
    DefaultField.TTL_SECONDS_AFTER_FINISHED: "ttl_seconds_after_finished",
}
_SECONDS: Final[Mapping[DefaultField, int]] = {
    DefaultField.ACTIVE_DEADLINE_SECONDS: 1,
    DefaultField.TTL_SECONDS_AFTER_FINISHED: 0,
}
"""The fields of seconds, with their smallest values."""
_TTL: Final = "ttlSecondsAfterFinished"
_JOBS: Final = (JOB, JOBTEMPLATE)
_SCALARS: Final[Mapping[str, tuple[str, tuple[Kind, ...]]]] = {
    "queue": ("queue", _JOBS),
    "schedulerName": ("scheduler_name", _JOBS),
    "priorityClassName": ("priority_class_name", _JOBS),
    "jobRetainPolicy": ("job_retain_policy", (JOBFLOW,)),
    "activeDeadlineSeconds": ("active_deadline_seconds", (JOBFLOW,)),
}
