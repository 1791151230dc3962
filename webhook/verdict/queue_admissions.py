"""Admission of Queue and PodGroup."""

from collections.abc import Iterable
from typing import Any, Final

from shared import kinds
from shared.model.podgroup import PodGroupSpec
from shared.model.queue import QueueSpec
from shared.model.types import Body
from webhook import rules
from webhook.defaults import podgroup_defaults, queue_defaults
from webhook.subject.lookups import MissingObject
from webhook.subject.plain_subjects import GroupSubject, QueueSubject
from webhook.subject.subjects import body_or_empty
from webhook.verdict.kind_admission import KindAdmission, subject_maker


def _queue_of_group(group: GroupSubject) -> Iterable[MissingObject]:
    if group.spec.queue:
        yield MissingObject(kinds.QUEUE, "", group.spec.queue)


def _parent_of_queue(queue: QueueSubject) -> Iterable[MissingObject]:
    if queue.spec.parent:
        yield MissingObject(kinds.QUEUE, "", queue.spec.parent)


def _queue_text(body: Body) -> Any:
    """The rules of Queues also read annotations."""
    return body.get("spec"), body_or_empty(body.get("metadata")).get("annotations")


QUEUE: Final = KindAdmission(
    kinds.QUEUE,
    subject_maker(QueueSubject, QueueSpec),
    rules=rules.QUEUE_RULES,
    delete=rules.QUEUE_DELETE_RULES,
    defaults=lambda queue, options: queue_defaults(queue),
    judged=_queue_text,
    missing=_parent_of_queue,
)
PODGROUP: Final = KindAdmission(
    kinds.PODGROUP,
    subject_maker(GroupSubject, PodGroupSpec),
    create=rules.PODGROUP_RULES,
    defaults=lambda group, options: podgroup_defaults(group),
    missing=_queue_of_group,
)
