"""CEL of whether an update changes something that users set, and not only leaves out what the webhook has set.

A manifest that is applied again lacks what the webhook has set in the stored object. The webhook sets it again before it
judges; while no webhook answers, the API server must not take its absence for a change.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from shared import kinds
from shared.names import CREATOR, DEFAULTED, DEFAULTED_MINIMUMS, RESOURCE_KINDS
from shared.policy.admission.cel import EMPTY_LIST, EMPTY_MAP
from shared.policy.admission.sides import KIND, NEW, OLD, ObjectSide, Variable

OUR_ANNOTATIONS: Final = (CREATOR, DEFAULTED, DEFAULTED_MINIMUMS, RESOURCE_KINDS)
"""What the webhook writes into the objects that rules are about."""
_SPEC_CHANGED, _TASKS_CHANGED, _ANNOTATIONS = "specChanged", "tasksChanged", "annotationsChanged"
NAMES: Final = frozenset({_SPEC_CHANGED, _TASKS_CHANGED, _ANNOTATIONS, "unset", "unsetOfTask", "unsetOfPod"})
"""Of the variables."""

_OF_FLOWS: Final = ("jobRetainPolicy", "failureStrategy")
_OF_JOBS: Final = ("queue", "schedulerName", "maxRetry", "minAvailable", "plugins", "ttlSecondsAfterFinished")
_OF_TASKS: Final = ("name", "maxRetry", "minAvailable")
_OF_PODS: Final = ("dnsPolicy", "restartPolicy", "nodeSelector", "tolerations")
_TASKS, _TEMPLATE, _SPEC = "tasks", "template", "spec"
_BY_VARIABLE: Final = {
    ("spec",): _SPEC_CHANGED,
    ("spec", _TASKS): _TASKS_CHANGED,
    ("metadata", "annotations"): _ANNOTATIONS,
}


def has_changed(path: tuple[str, ...]) -> str:
    """CEL of whether the field differs between the stored and the new object."""
    if path in _BY_VARIABLE:
        return f"variables.{_BY_VARIABLE[path]}"
    at = "".join(f"[?{json.dumps(name, ensure_ascii=False)}]" for name in path)
    return f"{NEW.object}{at} != {OLD.object}{at}"


def variables(paths: Iterable[tuple[str, ...]]) -> Iterator[Variable]:
    """What `has_changed` reads for these paths."""
    read = {_BY_VARIABLE[path] for path in paths if path in _BY_VARIABLE}
    if _ANNOTATIONS in read:
        yield _ANNOTATIONS, _annotations_changed()
    if not read.isdisjoint({_SPEC_CHANGED, _TASKS_CHANGED}):
        is_job, is_template = (f"{KIND} == '{each.kind}'" for each in (kinds.JOB, kinds.JOBTEMPLATE))
        yield "unset", f"{is_job} ? {_list(_OF_JOBS)} : {is_template} ? [] : {_list(_OF_FLOWS)}"
        yield "unsetOfTask", f"{is_job} ? {_list(_OF_TASKS)} : {_list(_OF_TASKS[:1])}"
        yield "unsetOfPod", f"{is_job} ? {_list(_OF_PODS)} : []"
        yield _TASKS_CHANGED, _tasks_changed()
        yield _SPEC_CHANGED, _spec_changed()


def _annotations_changed() -> str:
    new, old = (_at(side, "'metadata'", "'annotations'", otherwise=EMPTY_MAP) for side in (NEW, OLD))
    ours = _list(OUR_ANNOTATIONS)
    return f"!({_same(new, old, ours)} && {_same_where_set(old, new, ours)})"


def _tasks_changed() -> str:
    """Tasks in another order are the same."""
    new, old = (_at(side, "'spec'", f"'{_TASKS}'", otherwise=EMPTY_LIST) for side in (NEW, OLD))
    pairs = f"{new}.all(t, {old}.exists(o, {_same_task('t', 'o')}))"
    return f"{new} != {old} && (size({new}) != size({old}) || !{pairs})"


def _spec_changed() -> str:
    new, old = (_at(side, "'spec'", otherwise=EMPTY_MAP) for side in (NEW, OLD))
    return f"{new} != {old} && !({_same_but(new, old, 'variables.unset', _TASKS, f'!variables.{_TASKS_CHANGED}')})"


def _at(side: ObjectSide, *path: str, otherwise: str) -> str:
    """A field, without a type for the compiler."""
    return f"dyn({side.object}{''.join(f'[?{name}]' for name in path)}.orValue({otherwise}))"


def _list(names: Iterable[str]) -> str:
    return "[" + ", ".join(f"'{name}'" for name in names) + "]"


def _same_task(new: str, old: str) -> str:
    template = f"({_same_template(f'{new}.{_TEMPLATE}', f'{old}.{_TEMPLATE}')})"
    return _same_but(new, old, "variables.unsetOfTask", _TEMPLATE, template)


def _same_template(new: str, old: str) -> str:
    pods = _same_but(f"{new}.{_SPEC}", f"{old}.{_SPEC}", "variables.unsetOfPod", "", "")
    return f"{new} == {old} || ({_same_but(new, old, '[]', _SPEC, f'({pods})')})"


def _same_but(new: str, old: str, unset: str, field: str, as_same: str) -> str:
    """Equal maps, except for fields of `unset` that only the old one has. `field` is compared by `as_same` instead."""
    return f"{_same(new, old, unset, field, as_same)} && {_same_where_set(old, new, unset)}"


def _same(new: str, old: str, unset: str, field: str = "", as_same: str = "") -> str:
    """Every field of the new map is in the old one with the same value; one of `unset` may be empty."""
    equal = f"{new}[k] == {old}[k]"
    compared = f"(k == '{field}' ? {as_same} : {equal})" if field else equal
    return f"{new}.all(k, (k in {old} && {compared}) || (k in {unset} && {new}[k] in [dyn(null), dyn('')]))"


def _same_where_set(old: str, new: str, unset: str) -> str:
    return f"{old}.all(k, k in {new} || k in {unset})"
