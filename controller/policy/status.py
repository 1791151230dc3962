"""JobFlowPolicy.status: whether the policy works, and what of the cluster violates it (jobflow-api.md 9)."""

from collections.abc import Sequence
from typing import Any, Final

from controller.policy.census import First
from shared.timestamp import rfc3339
from shared.violation import Violation

Body = dict[str, Any]
READY: Final = "Ready"
_MESSAGE: Final = 1024


def policy_status(policy: Body, faults: Sequence[Violation], found: First | None, now: float) -> Body:
    """The whole new status. `faults`: why it does not work, if so; `found`: of a scan that ended at `now`, None before."""
    before = policy.get("status") or {}
    generation = policy["metadata"].get("generation")
    kept = {key: before[key] for key in ("violations", "lastScanTime", "lastViolations") if key in before}
    scanned = kept if found is None else _scanned(found, now)
    ready = _ready(before, faults, generation, now)
    return {"observedGeneration": generation, "conditions": [ready], **scanned}


def _scanned(found: First, now: float) -> Body:
    listed = [
        {
            "kind": seen.kind,
            "namespace": seen.namespace,
            "name": seen.name,
            "rule": seen.rule,
            "message": seen.message,
        }
        for seen in found.items
    ]
    return {"violations": found.count, "lastScanTime": rfc3339(now), "lastViolations": listed}


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
