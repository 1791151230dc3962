"""`metadata.managedFields`: the managers of fields after an apply and after other writes.

Ownership is recorded from an object's first server-side apply on; before that, only the creator is known.
"""

from dataclasses import dataclass, field

from local.apiserver import clock
from local.apiserver.apply.fieldsets import Path, flatten, from_fields, shown, to_fields
from local.apiserver.errors import StatusError
from local.apiserver.schema.structural import Resolve
from local.apiserver.types.resources import Resource
from shared.model.types import Body

APPLY, UPDATE = "Apply", "Update"
CLIENT_SIDE = "kubectl-client-side-apply"
BEFORE = "before-first-apply"
_STRIPPED: frozenset[Path] = frozenset(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",)]
    + [
        ("f:metadata", f"f:{name}")
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "generation",
            "resourceVersion",
            "managedFields",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        )
    ]
)


@dataclass
class ManagedFieldsEntry:
    """One entry of managedFields."""

    manager: str
    operation: str
    subresource: str = ""
    api_version: str = ""
    time: str = ""
    fields: set[Path] = field(default_factory=set)

    @property
    def mark(self) -> tuple[str, str, str]:
        return (self.manager, self.operation, self.subresource)

    def __str__(self) -> str:
        text = f'"{self.manager}"' + (f' with subresource "{self.subresource}"' if self.subresource else "")
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


def owned(obj: Body, resource: Resource, resolve: Resolve, subresource: str = "") -> dict[Path, object]:
    """The paths that a write through this endpoint can own, and their values."""
    left_out = {"status"} if resource.has_status and not subresource else set()
    if subresource == "status":
        part = {"status": obj["status"]} if "status" in obj else {}
    else:
        part = {key: value for key, value in obj.items() if key not in left_out}
    found = flatten(part, resource.typed, resolve)
    return {
        path: value
        for path, value in found.items()
        if path not in _STRIPPED and path[:2] != ("f:metadata", "f:managedFields")
    }


def read(obj: Body) -> list[ManagedFieldsEntry]:
    return [
        ManagedFieldsEntry(
            entry.get("manager", ""),
            entry.get("operation", UPDATE),
            entry.get("subresource", ""),
            entry.get("apiVersion", ""),
            entry.get("time", ""),
            from_fields(entry.get("fieldsV1") or {}),
        )
        for entry in obj["metadata"].get("managedFields") or ()
    ]


def write(owners: list[ManagedFieldsEntry]) -> list[Body]:
    """managedFields with applies first, as kube-apiserver sorts them; managers without fields are left out."""
    found = []
    for owner in sorted((o for o in owners if o.fields), key=lambda o: (o.operation, o.time, o.manager)):
        entry: Body = {"manager": owner.manager, "operation": owner.operation, "apiVersion": owner.api_version}
        entry |= {"time": owner.time, "fieldsType": "FieldsV1", "fieldsV1": to_fields(owner.fields)}
        if owner.subresource:
            entry["subresource"] = owner.subresource
        found.append(entry)
    return found


def changes(before: dict[Path, object], after: dict[Path, object]) -> tuple[set[Path], set[Path]]:
    """The paths that are new or changed, and those that were removed."""
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    return changed, before.keys() - after.keys()


def conflicts(
    owners: list[ManagedFieldsEntry], mine: ManagedFieldsEntry, changed: set[Path]
) -> list[tuple[ManagedFieldsEntry, Path]]:
    """Changed fields that other managers own."""
    return [(owner, path) for owner in owners if owner.mark != mine.mark for path in sorted(owner.fields & changed)]


def conflict_error(found: list[tuple[ManagedFieldsEntry, Path]]) -> StatusError:
    """409 with the text of kube-apiserver's field manager."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": shown(path)}
        for owner, path in found
    ]
    if len(found) == 1:
        message = f"Apply failed with 1 conflict: conflict with {found[0][0]}: {shown(found[0][1])}"
    else:
        lines: dict[str, list[str]] = {}
        for owner, path in found:
            lines.setdefault(f"conflicts with {owner}:", []).append(f"- {shown(path)}")
        listed = "\n".join(line for head in sorted(lines) for line in (head, *lines[head]))
        message = f"Apply failed with {len(found)} conflicts: {listed}"
    return StatusError(409, "Conflict", message, {"causes": causes})


def take(owners: list[ManagedFieldsEntry], mine: ManagedFieldsEntry, changed: set[Path], gone: set[Path]) -> None:
    """Remove changed fields from their other managers, and removed fields from all."""
    for owner in owners:
        if owner.mark != mine.mark:
            owner.fields -= changed
        owner.fields -= gone


def after_create(obj: Body, manager: str, resource: Resource, resolve: Resolve) -> list[Body]:
    """managedFields of an object created without an apply: its creator owns all fields."""
    fields = set(owned(obj, resource, resolve))
    return write([ManagedFieldsEntry(manager, UPDATE, "", resource.api_version, clock.now(), fields)])


def after_update(
    new: Body, old: Body, manager: str, resource: Resource, resolve: Resolve, subresource: str = ""
) -> list[Body]:
    """managedFields after a write other than an apply: the writer owns the fields that it changed."""
    owners = read(old)
    mine = ManagedFieldsEntry(manager, UPDATE, subresource, resource.api_version)
    mine = next((owner for owner in owners if owner.mark == mine.mark), mine)
    changed, gone = changes(owned(old, resource, resolve, subresource), owned(new, resource, resolve, subresource))
    if not changed and not gone:
        return list(old["metadata"]["managedFields"])
    take(owners, mine, changed, gone)
    if changed:
        mine.fields |= changed
        mine.time = clock.now()
        if mine not in owners:
            owners.append(mine)
    return write(owners)
