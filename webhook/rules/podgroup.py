"""PodGroups have an open queue and one topology limit (docs/design/volcano-behaviour.md, section 2.6). Only creations are
validated."""

from collections.abc import Iterator

from shared import kinds
from shared.model.phases import QueueState
from shared.names import DEFAULT_QUEUE
from shared.violation import Reason, Violation
from webhook.hints.open_queues import instead, others
from webhook.subject.plain_subjects import GroupSubject
from webhook.subject.subjects import body_or_empty


def queue_is_open(group: GroupSubject) -> Iterator[Violation]:
    """Queue `default` need not exist, and a queue without a state was just created and counts as open.

    A Closing queue accepts PodGroups of Jobs: its running Jobs create a new PodGroup when they restart.
    """
    name = group.spec.queue
    body = group.lookups.get(kinds.QUEUE, "", name) if name else None
    if name in ("", DEFAULT_QUEUE) and body is None:
        return
    if body is None:
        if group.lookups.complete:
            message = f"queue not found{instead(name, group.lookups)}"
            yield Violation("spec.queue", message, name, Reason.NOT_FOUND, passing=True)
    elif (state := body_or_empty(body.get("status")).get("state")) not in (None, "", QueueState.OPEN):
        if state == QueueState.CLOSING and _of_a_job(group):
            return
        message = f"can only submit PodGroup to queue with state `Open`, queue `{name}` status is `{state}`{others(group.lookups)}"
        yield Violation("spec.queue", message, name, passing=True)


def group_topology_has_one_tier(group: GroupSubject) -> Iterator[Violation]:
    places = [("spec.networkTopology", group.spec.network_topology)]
    for index, policy in enumerate(group.spec.sub_group_policy):
        places.append((f"spec.subGroupPolicy[{index}].networkTopology", policy.network_topology))
    for path, topology in places:
        if topology and topology.highest_tier_allowed is not None and topology.highest_tier_name:
            message = "must not specify highestTierAllowed and highestTierName in networkTopology simultaneously"
            yield Violation(f"{path}.highestTierName", message, topology.highest_tier_name)


def _of_a_job(group: GroupSubject) -> bool:
    owners = group.metadata.get("ownerReferences")
    return any(
        (each.get("apiVersion"), each.get("kind")) == (kinds.JOB.api_version, kinds.JOB.kind)
        for each in map(body_or_empty, owners if isinstance(owners, list) else ())
    )
