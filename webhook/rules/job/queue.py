"""The queue of a Job accepts new Jobs (docs/design/volcano-behaviour.md, section 2.3)."""

from collections.abc import Iterator

from shared import kinds
from shared.names import DEFAULT_QUEUE, ROOT_QUEUE
from shared.violation import Reason, Violation
from webhook.hints.open_queues import instead, is_open, others
from webhook.subject.lookups import queue_children
from webhook.subject.subjects import JobSubject, body_or_empty


def queue_takes_jobs(job: JobSubject) -> Iterator[Violation]:
    """A queue without a state was just created and counts as open. `default` need not exist."""
    name = job.spec.queue or DEFAULT_QUEUE
    body = job.lookups.get(kinds.QUEUE, "", name)
    if name == ROOT_QUEUE:
        yield Violation("spec.queue", f"can not submit job to root queue{others(job.lookups)}", name)
    elif body is None:
        if name != DEFAULT_QUEUE and job.lookups.complete:
            message = f"unable to find job queue{instead(name, job.lookups)}"
            yield Violation("spec.queue", message, name, Reason.NOT_FOUND, passing=True)
    elif not is_open(body):
        state = body_or_empty(body.get("status")).get("state")
        message = f"can only submit job to queue with state `Open`, queue `{name}` status is `{state}`"
        remedy = f"{others(job.lookups)}; or open it: jobflow queue open {name}"
        yield Violation("spec.queue", f"{message}{remedy}", name, passing=True)
    elif children := len(queue_children(job.lookups, name)):
        message = f"can only submit job to leaf queue, queue `{name}` has {children} child queues"
        yield Violation("spec.queue", f"{message}{others(job.lookups)}", name)
