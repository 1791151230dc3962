"""Builds JobFlowPolicy.status: whether the policy compiles, and what violates it (docs/design/jobflow-api.md, section 9)."""

from collections.abc import Sequence
from typing import Final

from controller.policy.scan_result import FirstViolations
from shared.model.types import Body
from shared.timestamp import rfc3339
from shared.violation import Violation

READY: Final = "Ready"
_MESSAGE: Final = 1024


def policy_status(policy: Body, faults: Sequence[Violation], found: FirstViolations | None, now: float) -> Body:
    """The whole new status. `faults`: why the policy does not compile; `found`: by a scan that ended at `now`, None before."""
    before = policy.get("status") or {}
    generation = policy["metadata"].get("generation")
    others = {key: before[key] for key in ("inProcess",) if key in before}
    kept = {key: before[key] for key in ("violations", "excepted", "lastScanTime", "lastViolations") if key in before}
    scanned = kept if found is None else _scanned(found, now)
    ready = _ready(before, faults, generation, now)
    return {"observedGeneration": generation, "conditions": [ready], **scanned, **others}


def _scanned(found: FirstViolations, now: float) -> Body:
    listed = [
        {
            "kind": violation.kind,
            "namespace": violation.namespace,
            "name": violation.name,
            "rule": violation.rule,
            "message": violation.message,
        }
        for violation in found.items
    ]
    excepted = {"excepted": found.excepted} if found.excepted else {}
    return {"violations": found.count, **excepted, "lastScanTime": rfc3339(now), "lastViolations": listed}


def _ready(before: Body, faults: Sequence[Violation], generation: int | None, now: float) -> Body:
    status = "False" if faults else "True"
    known = [each for each in before.get("conditions") or () if each.get("type") == READY]
    since = known[0].get("lastTransitionTime") if known and known[0].get("status") == status else None
    message = "; ".join(str(fault) for fault in faults) or "expressions, patterns and selectors work"
    return {
        "type": READY,
        "status": status,
        "reason": "Invalid" if faults else "Compiled",
        "message": message[:_MESSAGE],
        "observedGeneration": generation,
        "lastTransitionTime": since or rfc3339(now),
    }
