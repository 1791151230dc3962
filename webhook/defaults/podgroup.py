"""Defaults of a PodGroup: the queue of its namespace (docs/design/volcano-behaviour.md, section 2.6)."""

from collections.abc import Iterator

from shared.names import DEFAULT_QUEUE
from webhook.defaults.job import namespace_queue
from webhook.envelope.patch import Setting
from webhook.subject.plain_subjects import GroupSubject


def podgroup_defaults(group: GroupSubject) -> Iterator[Setting]:
    if group.spec.queue not in ("", DEFAULT_QUEUE):
        return
    queue = namespace_queue(group.lookups, group.namespace)
    if queue:
        yield Setting(("spec", "queue"), queue)
    elif not group.spec.queue:
        yield Setting(("spec", "queue"), DEFAULT_QUEUE)
