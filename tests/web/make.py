"""JobFlows with a status, as the controller leaves them."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.model.types import Body


def a_flow(name: str, steps: Mapping[str, Sequence[str]], namespace: str = "default", **spec: Any) -> Body:
    """A JobFlow of `{step: its targets}`."""
    flows = [
        {"name": step, **({"dependsOn": {"targets": list(targets)}} if targets else {})}
        for step, targets in steps.items()
    ]
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"flows": flows, **spec}}


def a_status(phase: str, steps: Mapping[str, str | Body], **more: Any) -> Body:
    """The status of `{step: its phase, or what else it says}`."""
    listed = [{"name": name, **({"phase": said} if isinstance(said, str) else said)} for name, said in steps.items()]
    ended = sum(1 for each in listed if each.get("phase") in ("Completed", "Failed", "Skipped", "Terminated"))
    return {
        "observedGeneration": 1,
        "state": {"phase": phase},
        "steps": listed,
        "progress": f"{ended}/{len(listed)}",
        "startTime": "2026-11-28T08:00:00Z",
        **more,
    }
