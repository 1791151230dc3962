"""Defaults of a Queue on creation (docs/design/volcano-behaviour.md, section 2.5)."""

from collections.abc import Iterator

from shared.names import HIERARCHY, HIERARCHY_WEIGHTS, ROOT_QUEUE
from webhook.envelope.patch import Setting
from webhook.subject.plain_subjects import QueueSubject


def queue_defaults(queue: QueueSubject) -> Iterator[Setting]:
    path, weights = queue.annotations.get(HIERARCHY, ""), queue.annotations.get(HIERARCHY_WEIGHTS, "")
    if path and weights and not path.startswith(ROOT_QUEUE):
        yield Setting(("metadata", "annotations", HIERARCHY), f"{ROOT_QUEUE}/{path}")
        yield Setting(("metadata", "annotations", HIERARCHY_WEIGHTS), f"1/{weights}")
    if queue.spec.reclaimable is None:
        yield Setting(("spec", "reclaimable"), True)
    if not queue.spec.weight:
        yield Setting(("spec", "weight"), 1)
