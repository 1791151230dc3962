"""`defaults`: what policies set where it is absent, on CREATE only (jobflow-api.md 9). Pure data out."""

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
    """A field and the value it shall have."""

    path: Path
    value: Any


def defaults(context: PolicyContext, policies: Iterable[CompiledPolicy]) -> tuple[Default, ...]:
    """What is set, each field once: policies go in the order of their names, and the first that sets a field wins.

    A policy in mode Audit only watches, so it sets nothing. Idempotent: of an object that has it all, nothing is set.
    """
    found: dict[Path, Default] = {}
    for policy in policies:
        if policy.mode is PolicyMode.AUDIT or not _says(policy) or not applies(policy, context):
            continue
        for default in (*_set(policy.spec.defaults, context), *_capped(policy, context)):
            # A map inside a list that an earlier policy has set whole is that policy's.
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
            continue  # no pod: there is nothing to complete, and the rules say so
        path: Path = ("spec", "tasks", index, "template", "spec")
        for key, value in wanted.node_selector.items():
            if not pod.get("nodeSelector").key(key).present:
                yield Default((*path, "nodeSelector", key), value)
        if wanted.tolerations and not pod.get("tolerations").holds:
            yield Default((*path, "tolerations"), list(wanted.tolerations))


def _capped(policy: CompiledPolicy, context: PolicyContext) -> Iterator[Default]:
    """A Job that does not say how often to restart asks for nothing that a limit could refuse: it gets what is allowed."""
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
        return True  # Volcano's CRD wrote it, not the user (decisions row 26)
    return field.value in (None, "")


def _stands_alone(context: PolicyContext) -> bool:
    """Jobs of a flow live as long as their flow wants, so neither they nor templates get a time to live."""
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
