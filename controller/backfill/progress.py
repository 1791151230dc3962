"""Which times of a backfill have ended and which start next. Pure; times are indexes in the range, counted from 0."""

from collections.abc import Mapping

import msgspec

from controller.schedule.observed import RunState


class BackfillProgress(msgspec.Struct, frozen=True):
    """Sets of indexes. `started` contains those that succeeded and failed; `skipped` never start."""

    total: int
    started: frozenset[int] = frozenset()
    succeeded: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    skipped: frozenset[int] = frozenset()

    @property
    def active(self) -> frozenset[int]:
        return self.started - self.succeeded - self.failed

    @property
    def ended(self) -> int:
        return len(self.succeeded) + len(self.failed) + len(self.skipped)

    @property
    def done(self) -> bool:
        return self.ended >= self.total


def observed(before: BackfillProgress, runs: Mapping[int, RunState]) -> BackfillProgress:
    """The progress, updated from the children. If the child of a started time does not exist, it was deleted, and the
    time has failed. A time that has ended is not updated again, so its child may be deleted.
    """
    started = before.started | runs.keys()
    ended = before.succeeded | before.failed
    succeeded = {index for index, state in runs.items() if state is RunState.SUCCEEDED and index not in ended}
    failed = {index for index, state in runs.items() if state is RunState.FAILED and index not in ended}
    lost = before.started - ended - runs.keys()
    return msgspec.structs.replace(
        before,
        started=started,
        succeeded=before.succeeded | succeeded,
        failed=before.failed | failed | lost,
    )


def next_indexes(progress: BackfillProgress, parallelism: int, waiting: frozenset[int]) -> tuple[int, ...]:
    """The indexes to start now, in order.

    `waiting`: indexes whose creation was just refused; they count for the parallelism.
    """
    room = parallelism - len(progress.active) - len(waiting)
    taken = progress.started | progress.skipped | waiting
    found: list[int] = []
    for index in range(progress.total):
        if len(found) >= room:
            break
        if index not in taken:
            found.append(index)
    return tuple(found)
