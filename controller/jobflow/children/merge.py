"""`patch.jobSpec` merged over a template's spec (docs/design/jobflow-api.md, section 6)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.model.types import Body

Identity = Callable[[Any], Any]


class Unmergeable(Exception):
    """The patch adds a task that exists nowhere and has no pod template; the message names it."""


def _name(entry: Body) -> Any:
    return entry.get("name")


def _mount_path(entry: Body) -> Any:
    return entry.get("mountPath")


def _port(entry: Body) -> Any:
    return entry.get("containerPort"), entry.get("protocol") or "TCP"


_BY_NAME: Final = ("tasks", "containers", "initContainers", "env", "volumes")
# Lists that merge by an entry's identity, by the field that holds them. All others replace.
_IDENTITIES: Final[Mapping[str, Identity]] = {
    **dict.fromkeys(_BY_NAME, _name),
    "volumeMounts": _mount_path,
    "ports": _port,
}
# Volumes of a Job have no name.
_JOB_IDENTITIES: Final[Mapping[str, Identity]] = {**_IDENTITIES, "volumes": _mount_path}


def merge_job_spec(spec: Body, patch: Body) -> Body:
    """A new spec; neither argument is changed, parts may be shared. Raises Unmergeable."""
    known = {task.get("name") for task in spec.get("tasks") or ()}
    for task in patch.get("tasks") or ():
        if task.get("name") not in known and "template" not in task:
            raise Unmergeable(f'task "{task.get("name", "")}" is not in the template; a new task needs a `template`')
    return {**spec, **{key: _value(spec.get(key), value, key, _JOB_IDENTITIES) for key, value in patch.items()}}


def _value(old: Any, new: Any, field: str, identities: Mapping[str, Identity]) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _value(old.get(key), value, key, _IDENTITIES) for key, value in new.items()}}
    identity = identities.get(field)
    if identity is not None and _entries(old) and _entries(new):
        return _list(old, new, identity)
    return new


def _entries(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _list(old: list[Body], new: list[Body], identity: Identity) -> list[Body]:
    merged = {_place(identity(entry), number): entry for number, entry in enumerate(old)}
    for number, entry in enumerate(new):
        key = _place(identity(entry), len(old) + number)
        before = merged.get(key)
        merged[key] = entry if before is None else _value(before, entry, "", _IDENTITIES)
    return list(merged.values())


def _place(key: Any, number: int) -> Any:
    """Entries without an identity are never merged with others."""
    return key if key is not None else ("", number)
