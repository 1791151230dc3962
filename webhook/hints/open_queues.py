"""Hints for messages about queues that accept no Jobs: the open queues, and similar names."""

from typing import Final

from shared import kinds
from shared.model.phases import QueueState
from shared.model.types import Body
from shared.names import DEFAULT_QUEUE, ROOT_QUEUE
from webhook.hints.names import did_you_mean, quoted
from webhook.subject.lookups import Lookups, name_at, parent_of
from webhook.subject.subjects import body_or_empty

_NAMED: Final = 5  # maximum number of queues listed in a message


def instead(name: str, lookups: Lookups) -> str:
    """What to do about a queue that does not exist; appended to the sentence that says so."""
    hint = did_you_mean(name, (name_at(queue) for queue in lookups.all(kinds.QUEUE)))
    return f'{hint}{others(lookups, "" if hint else ".")}; or create Queue "{name}"'


def others(lookups: Lookups, end: str = ".") -> str:
    """A sentence that lists open leaf queues, at most _NAMED; appended to another sentence."""
    names = _open_leaves(lookups)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{end} Open leaf queues: {quoted(names[:_NAMED]) or 'none'}{more}"


def _open_leaves(lookups: Lookups) -> list[str]:
    """Names of open leaf queues. `default` counts even before it is created."""
    queues = {name_at(body): body for body in lookups.all(kinds.QUEUE)}
    parents = {parent_of(body) for body in queues.values()}
    leaves = {name for name, body in queues.items() if is_open(body)} - parents
    return sorted((leaves | ({DEFAULT_QUEUE} - queues.keys())) - {ROOT_QUEUE})


def is_open(queue: Body) -> bool:
    """Whether the queue is open. A queue without a state was just created and counts as open."""
    return body_or_empty(queue.get("status")).get("state") in (None, "", QueueState.OPEN)
