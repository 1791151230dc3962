"""JobFlowPolicies with the objects that violate them. Pure."""

from collections.abc import Iterable

import msgspec

from shared.model.types import Body
from shared.timestamp import epoch_or_none


class ViolationRow(msgspec.Struct, frozen=True):
    """An object that violates a policy; `link`: the plural of kinds that have a page here, else ''."""

    kind: str
    link: str
    namespace: str
    name: str
    rule: str
    message: str


class PolicyRow(msgspec.Struct, frozen=True):
    """`ready`: '' or why the policy does not work; `sections`: what it has rules about; `violations`: those that the
    status lists and that pass the namespace filter, of `violation_count`; `in_process`: rules that the API server
    itself enforces; `webhook_only`: rules that only the webhook enforces, or a part of which, each with the cause.
    Both are None where nothing is enforced in process."""

    name: str
    mode: str
    ready: str
    sections: tuple[str, ...]
    violations: tuple[ViolationRow, ...]
    violation_count: int
    scanned: float | None
    in_process: tuple[str, ...] | None
    webhook_only: tuple[tuple[str, str], ...] | None


_SECTIONS = ("defaults", "limits", "allowed", "denied", "required", "rules")
_LINKS = {"JobFlow": "flows", "Job": "jobs"}


def policy_rows(bodies: Iterable[Body], namespace: str = "") -> tuple[PolicyRow, ...]:
    """Those with violations first."""
    rows = [_row(body, namespace) for body in bodies]
    return tuple(sorted(rows, key=lambda row: (not row.violation_count, row.name)))


def _row(body: Body, namespace: str) -> PolicyRow:
    spec, status = body.get("spec") or {}, body.get("status") or {}
    inside = status.get("inProcess")
    listed = [_violation(each) for each in status.get("lastViolations") or ()]
    return PolicyRow(
        name=str(body["metadata"]["name"]),
        mode=str(spec.get("mode") or "Enforce"),
        ready="; ".join(
            str(each.get("message") or each.get("reason") or "")
            for each in status.get("conditions") or ()
            if each.get("type") == "Ready" and each.get("status") != "True"
        ),
        sections=tuple(section for section in _SECTIONS if spec.get(section)),
        violations=tuple(each for each in listed if not namespace or each.namespace == namespace),
        violation_count=int(status.get("violations") or 0),
        scanned=epoch_or_none(status.get("lastScanTime")),
        in_process=None if inside is None else tuple(str(rule) for rule in inside.get("rules") or ()),
        webhook_only=None
        if inside is None
        else tuple((str(each.get("rule")), str(each.get("why") or "")) for each in inside.get("webhookOnly") or ()),
    )


def _violation(body: Body) -> ViolationRow:
    kind = str(body.get("kind") or "")
    return ViolationRow(
        kind,
        _LINKS.get(kind, ""),
        str(body.get("namespace") or ""),
        str(body.get("name") or ""),
        str(body.get("rule") or ""),
        str(body.get("message") or ""),
    )
