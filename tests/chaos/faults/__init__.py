"""The faults that can be injected, one kind a file; `FAULTS` is the registry."""

from typing import Final

from tests.chaos.faults import (
    api_restart,
    clock_jump,
    compaction,
    disruptions,
    errors,
    killed,
    lost_lease,
    namespace_deletion,
    quota,
    resets,
    stale_lists,
    stopped,
    two_leaders,
    watches,
)
from tests.chaos.faults.fault import ChaosFault

_ALL: Final = (
    *errors.FAULTS,
    *resets.FAULTS,
    *watches.FAULTS,
    stale_lists.FAULT,
    compaction.FAULT,
    *killed.FAULTS,
    *stopped.FAULTS,
    lost_lease.FAULT,
    two_leaders.FAULT,
    clock_jump.FAULT,
    api_restart.FAULT,
    namespace_deletion.FAULT,
    *quota.FAULTS,
    *disruptions.FAULTS,
)
FAULTS: Final[dict[str, ChaosFault]] = {fault.name: fault for fault in _ALL}
MILD: Final = frozenset(each.name for each in (*quota.FAULTS, *disruptions.FAULTS)) | {"refused-pods"}
"""Faults during which our processes work as ever, so that statuses must be as fresh as ever."""
