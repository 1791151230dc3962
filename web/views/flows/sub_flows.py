"""The flows that a step runs. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from shared.kinds import CRONJOBFLOW, CRONJOBFLOWBACKFILL, JOBFLOW
from shared.model.types import Body
from shared.names import ATTEMPT, CRON_NAME, FLOW_TEMPLATE, ITERATION, STEP
from shared.timestamp import epoch_or_none

MOST: Final = 200
"""Flows that the page of a step lists."""
_FAILED: Final = "Failed"


class SubFlowRow(msgspec.Struct, frozen=True):
    """A flow that a step has made. `attempt`: 0 for the first; `iteration`: '' outside of loops."""

    namespace: str
    name: str
    phase: str
    why: str
    iteration: str
    attempt: int
    progress: str
    started: float | None
    ended: float | None
    created: float | None


class FlowOrigin(msgspec.Struct, frozen=True):
    """What a flow comes from: `kind` and `name` for people, `parts` and `query` of the page that shows it."""

    kind: str
    name: str
    parts: tuple[str, ...]
    query: Mapping[str, str] = {}


def sub_flow_rows(flow: Body, step: str, flows: Iterable[Body]) -> tuple[SubFlowRow, ...]:
    """Those of one step of the flow: failed ones first, then the newest."""
    uid = flow["metadata"].get("uid")
    rows = [_row(each) for each in flows if _labels(each).get(STEP) == step and _owner(each).get("uid") == uid]
    rows.sort(key=lambda row: (row.phase != _FAILED, -(row.created or 0.0), row.name))
    return tuple(rows)


def origins(flow: Body) -> tuple[FlowOrigin, ...]:
    """The flow and the step above, the schedule, the template."""
    metadata, found = flow["metadata"], []
    namespace, labels, owner = str(metadata.get("namespace") or ""), _labels(flow), _owner(flow)
    if owner.get("kind") == JOBFLOW.kind:
        above, step = str(owner.get("name")), str(labels.get(STEP) or "")
        page = ("flows", namespace, above)
        found.append(
            FlowOrigin("step", f"{above} / {step}", (*page, "steps", step)) if step else FlowOrigin("flow", above, page)
        )
    elif owner and owner.get("kind") not in (CRONJOBFLOW.kind, CRONJOBFLOWBACKFILL.kind):
        found.append(FlowOrigin(str(owner.get("kind")), str(owner.get("name")), ()))
    if schedule := str(owner.get("name") if owner.get("kind") == CRONJOBFLOW.kind else labels.get(CRON_NAME) or ""):
        found.append(FlowOrigin("schedule", schedule, ("schedules", CRONJOBFLOW.plural, namespace, schedule)))
    if template := (metadata.get("annotations") or {}).get(FLOW_TEMPLATE):
        found.append(FlowOrigin("template", str(template), ("templates",), {"namespace": namespace}))
    return tuple(found)


def _row(body: Body) -> SubFlowRow:
    metadata, status = body["metadata"], body.get("status") or {}
    state, attempt = status.get("state") or {}, str(_labels(body).get(ATTEMPT) or "")
    created = epoch_or_none(metadata.get("creationTimestamp"))
    return SubFlowRow(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
        phase=str(state.get("phase") or "Pending"),
        why=": ".join(str(each) for each in (state.get("reason"), state.get("message")) if each)
        or str(status.get("nextSummary") or ""),
        iteration=str(_labels(body).get(ITERATION) or ""),
        attempt=int(attempt) if attempt.isdecimal() else 0,
        progress=str(status.get("progress") or ""),
        started=epoch_or_none(status.get("startTime")) or created,
        ended=epoch_or_none(status.get("completionTime")),
        created=created,
    )


def _labels(body: Body) -> Body:
    return body["metadata"].get("labels") or {}


def _owner(body: Body) -> Body:
    owners = body["metadata"].get("ownerReferences") or ()
    found: Body = next((each for each in owners if each.get("controller")), {})
    return found
