"""JobFlowPolicyExceptions: what may violate a policy, and until when. Pure."""

from collections.abc import Iterable, Mapping

import msgspec

from shared.model.types import Body
from shared.timestamp import epoch_or_none


class ExceptionRow(msgspec.Struct, frozen=True):
    """An exception as one policy has it. `rules`: empty for all; `objects`: those that it is for; `why_not`: why it has
    no effect."""

    namespace: str
    name: str
    state: str
    rules: tuple[str, ...]
    objects: str
    reason: str
    expires: float | None
    why_not: str


def exceptions_by_policy(bodies: Iterable[Body]) -> Mapping[str, tuple[ExceptionRow, ...]]:
    """Those that have effect first, then by the time at which they end."""
    found: dict[str, list[ExceptionRow]] = {}
    for body in bodies:
        for policy in (body.get("spec") or {}).get("policies") or ():
            found.setdefault(str(policy.get("name")), []).append(_row(body, policy))
    return {name: tuple(sorted(rows, key=_order)) for name, rows in found.items()}


def _order(row: ExceptionRow) -> tuple[bool, float, str, str]:
    return row.state != "Active", row.expires or 0.0, row.namespace, row.name


def _row(body: Body, policy: Body) -> ExceptionRow:
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    match = spec.get("match") or {}
    kinds, names = match.get("kinds") or (), match.get("names") or ()
    selected = " with labels" if match.get("objectSelector") else ""
    return ExceptionRow(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
        state=str(status.get("state") or "Pending"),
        rules=tuple(str(rule) for rule in policy.get("rules") or ()),
        objects=f"{', '.join(map(str, kinds)) or 'all kinds'} {', '.join(map(str, names))}".strip() + selected,
        reason=str(spec.get("reason") or ""),
        expires=epoch_or_none(spec.get("expiresAt")),
        why_not="; ".join(
            str(each.get("message") or each.get("reason") or "")
            for each in status.get("conditions") or ()
            if each.get("status") == "False"
        ),
    )
