"""The queue of a Job or PodGroup takes new work (volcano-behaviour.md 2.3 row 16, 2.6)."""

from collections.abc import Iterator

from shared import kinds
from shared.model.phases import QueueState
from shared.names import DEFAULT_QUEUE, ROOT_QUEUE
from shared.violation import Reason, Violation
from webhook.lookups import name_at, queue_children
from webhook.subject import JobSubject, any_body
from webhook.words import did_you_mean


def queue_takes_jobs(job: JobSubject) -> Iterator[Violation]:
    """A queue without a state was made a moment ago and counts as Open; `default` need not have been made at all."""
    name = job.spec.queue or DEFAULT_QUEUE
    body = job.lookups.get(kinds.QUEUE, "", name)
    if name == ROOT_QUEUE:
        yield Violation("spec.queue", "can not submit job to root queue: name one of its leaf queues", name)
    elif body is None:
        if name != DEFAULT_QUEUE and job.lookups.complete:
            hint = did_you_mean(name, (name_at(queue) for queue in job.lookups.all(kinds.QUEUE)))
            yield Violation("spec.queue", f"unable to find job queue{hint}", name, Reason.NOT_FOUND)
    elif (state := any_body(body.get("status")).get("state")) not in (None, "", QueueState.OPEN):
        message = f"can only submit job to queue with state `Open`, queue `{name}` status is `{state}`"
        yield Violation("spec.queue", message, name)
    elif children := len(queue_children(job.lookups, name)):
        message = f"can only submit job to leaf queue, queue `{name}` has {children} child queues"
        yield Violation("spec.queue", message, name)
