"""The JobFlow that a backfill creates for a due time. Pure."""

from shared.children.metadata import controller_reference
from shared.children.scheduled_flows import flow_for
from shared.kinds import CRONJOBFLOWBACKFILL
from shared.model.types import Body
from shared.names import BACKFILL_NAME
from shared.naming import label_value


def backfill_flow(backfill: Body, source: Body, due: int, previous: int | None) -> Body:
    """The flow that the schedule would have created, with a name of the backfill and the backfill as owner.

    `source`: status.source. Raises shared.params.MissingParam.
    """
    made = flow_for(source["cron"], source.get("template"), due, previous)
    metadata = backfill["metadata"]
    name = label_value(f"{metadata['name']}-b{due // 60}")
    owner = controller_reference(CRONJOBFLOWBACKFILL, backfill)
    labels = {**made["metadata"]["labels"], BACKFILL_NAME: label_value(metadata["name"])}
    return {**made, "metadata": {**made["metadata"], "name": name, "labels": labels, "ownerReferences": [owner]}}
