"""What can be done to a cluster at work: one harm a file. A harm is added here."""

from typing import Final

from tests.chaos.faults import (
    api_restart,
    clock_jump,
    compaction,
    errors,
    killed,
    latency,
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
    *errors.HARMS,
    latency.HARM,
    *resets.HARMS,
    *watches.HARMS,
    stale_lists.HARM,
    compaction.HARM,
    *killed.HARMS,
    *stopped.HARMS,
    lost_lease.HARM,
    two_leaders.HARM,
    clock_jump.HARM,
    api_restart.HARM,
    namespace_deletion.HARM,
    quota.HARM,
)
HARMS: Final[dict[str, ChaosFault]] = {harm.name: harm for harm in _ALL}
