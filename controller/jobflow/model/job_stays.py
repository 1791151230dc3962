"""The stays of a Job in its phases, from versions of the Job and from what its flow has recorded. Pure.

A Job has one condition for each phase, the latest one, and times are whole seconds. So a stay cannot be identified by phase and
time: a Job may restart several times in a second. The order of the conditions tells which of them are new.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import dropwhile, groupby
from typing import Final

from shared.model.job_status import JobCondition

Stay = tuple[str, str]  # phase, RFC3339 time of its begin or ""
MAX_STAYS: Final = 100


def with_version(
    stays: tuple[JobCondition, ...], before: Sequence[JobCondition], after: Sequence[JobCondition]
) -> tuple[JobCondition, ...]:
    """`stays` and those that are new in the conditions of the next version of the Job, the last MAX_STAYS.

    A phase that is entered moves to the end. So the conditions that stand in the order of `before` are old ones.
    """
    rest = iter(before)
    new = dropwhile(lambda condition: condition in rest, after)
    return (*stays, *new)[-MAX_STAYS:]


def joined(recorded: Sequence[Stay], seen: Sequence[Stay]) -> list[Stay]:
    """The stays of both, each once. Neither need be complete: `recorded` may be older, `seen` may begin later."""
    if list(seen[: len(recorded)]) == list(recorded):
        return list(seen)
    old, new = _by_time(recorded), _by_time(seen)
    return [
        stay for time in sorted(old.keys() | new.keys()) for stay in _overlaid(old.get(time, []), new.get(time, []))
    ]


def _by_time(stays: Iterable[Stay]) -> Mapping[str, list[Stay]]:
    ordered = sorted(stays, key=lambda stay: stay[1])
    return {time: list(same) for time, same in groupby(ordered, key=lambda stay: stay[1])}


def _overlaid(old: list[Stay], new: list[Stay]) -> list[Stay]:
    """The stays that began in one second: `new` continues `old` where the end of one is the begin of the other."""
    rest = iter(old)
    if all(stay in rest for stay in new):
        return old
    common = next(
        length for length in range(min(len(old), len(new)), -1, -1) if old[len(old) - length :] == new[:length]
    )
    return [*old, *new[common:]]
