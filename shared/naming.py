"""Names of the objects that the controllers create.

The controllers use them to create objects; webhook and CLI use them to check in advance that the longest name fits.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from shared.names import MAX_NAME

_PREFIX: Final = 52  # characters of an over-long label value that are kept
_HASH_DIGITS: Final = 10
_RETRY_DIGITS: Final = 3
_INDEX: Final = r"(0|[1-9]\d*)"
_RETRY_SUFFIX: Final = re.compile(r"^(?P<base>.+)-r[1-9]\d*$")
_INDEX_SUFFIX: Final = re.compile(rf"^(?P<base>.+)-{_INDEX}$")


def job_name(flow: str, step: str, index: int | None = None, attempt: int = 0) -> str:
    """The name of a step's Job: FLOW-STEP[-INDEX][-rN].

    `index`: the iteration of a `for`; `attempt`: 0 for the first, whose name is the same as in Volcano. A name over 63
    characters, as in a flow within a flow, becomes its first 52, a dash and ten digits of its hash.
    """
    return label_value(_whole_job_name(flow, step, index, attempt))


def _whole_job_name(flow: str, step: str, index: int | None, attempt: int) -> str:
    name = f"{flow}-{step}" if index is None else f"{flow}-{step}-{index}"
    return f"{name}-r{attempt}" if attempt else name


def longest_job_name(flow: str, step: str, iterations: int | None = None) -> str:
    """The longest Job name that a step can get, not shortened: three digits of retries, the last of `iterations` indexes."""
    last = None if iterations is None else max(iterations - 1, 0)
    return _whole_job_name(flow, step, last, 10**_RETRY_DIGITS - 1)


def pod_name(job: str, task: str, index: int) -> str:
    """JOB-TASK-INDEX, as in Volcano. Over 63 characters: the first 52, a dash and ten digits of the hash."""
    return label_value(whole_pod_name(job, task, index))


def whole_pod_name(job: str, task: str, index: int) -> str:
    """JOB-TASK-INDEX, however long."""
    return f"{job}-{task}-{index}"


def podgroup_name(job: str, uid: str) -> str:
    """JOB-UID. With the UID, a Job that is created again under an old name gets a new group."""
    return f"{job}-{uid}"


def claim_name(job: str, index: int) -> str:
    """JOB-pvc-INDEX. The name stays the same for every retry, so that no claim is leaked."""
    return f"{job}-pvc-{index}"


def command_name(job: str) -> str:
    """The name of the Command that terminates a Job. There is at most one at a time."""
    return f"{job}-terminate"


def scheduled_name(schedule: str, due: int) -> str:
    """The child of a schedule for a due time (seconds since 1970): SCHEDULE-MINUTES, as Kubernetes' CronJob names it.

    Over 63 characters the first 52 are kept, with a hash of the whole.
    """
    return label_value(f"{schedule}-{due // 60}")


def qualified(namespace: str, name: str) -> str:
    """NAMESPACE.NAME: the value of Volcano's createdBy annotations."""
    return f"{namespace}.{name}"


def label_value(text: str) -> str:
    """`text` as a label value. Above 63 characters: its first 52, a dash and ten digits of its SHA-256."""
    if len(text) <= MAX_NAME:
        return text
    import hashlib  # few names are that long, and its import takes a millisecond of a short command

    return f"{text[:_PREFIX]}-{hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]}"


def collisions(steps: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, str, str]]:
    """Pairs of steps whose Jobs could get the same name: (step, other, the name's part after FLOW-).

    `steps`: name and whether it loops, for every step that creates Jobs. Only the name of a step that does not loop can
    collide: `a` with a loop creates `a-1` and `a-1-r2`; `a` without a loop creates `a-r2`.
    """
    loops = dict(steps)
    for name, looping in loops.items():
        if looping:
            continue
        for base, needs_loop in _readings(name):
            if loops.get(base) is needs_loop:
                yield base, name, name


def _readings(name: str) -> Iterator[tuple[str, bool]]:
    """The steps that could create a Job called `name`: (step, whether it must loop for that)."""
    if "-" not in name:
        return
    if retried := _RETRY_SUFFIX.match(name):
        yield retried["base"], False
        if indexed := _INDEX_SUFFIX.match(retried["base"]):
            yield indexed["base"], True
    if indexed := _INDEX_SUFFIX.match(name):
        yield indexed["base"], True


def shortened(text: str, most: int) -> str:
    """At most `most` characters of a text for people; `…` at its end shows that it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
