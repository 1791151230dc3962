"""The JobFlow that a backfill creates for a due time. Pure."""

from shared.children.metadata import controller_reference
from shared.children.scheduled_flows import flow_for
from shared.kinds import CRONJOBFLOWBACKFILL
from shared.model.types import Body
from shared.names import BACKFILL_NAME, RESOURCE_KINDS
from shared.naming import label_value
from shared.resource_steps.rights import read_claim, write_claim


def backfill_flow(backfill: Body, source: Body, due: int, previous: int | None) -> Body:
    """The flow that the schedule would have created, with a name of the backfill and the backfill as owner.

    `source`: status.source. Raises shared.params.MissingParam.
    """
    made = flow_for(source["cron"], source.get("template"), due, previous)
    metadata = backfill["metadata"]
    name = label_value(f"{metadata['name']}-b{due // 60}")
    owner = controller_reference(CRONJOBFLOWBACKFILL, backfill)
    labels = {**made["metadata"]["labels"], BACKFILL_NAME: label_value(metadata["name"])}
    own = {"name": name, "labels": labels, "ownerReferences": [owner], "annotations": _annotations(backfill, made)}
    return {**made, "metadata": {**made["metadata"], **own}}


def _annotations(backfill: Body, made: Body) -> Body:
    """The annotations of the flow, and the kinds that the creator of the backfill may create."""
    found: Body = made["metadata"]["annotations"]
    claim = read_claim(found) & read_claim(backfill["metadata"].get("annotations"))
    return {
        **{key: value for key, value in found.items() if key != RESOURCE_KINDS},
        **({RESOURCE_KINDS: write_claim(claim)} if claim else {}),
    }
