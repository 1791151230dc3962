"""What is counted of each kind that quotas limit."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from shared.kinds import JOB, JOBFLOW, Kind
from shared.model.types import Body
from shared.policy.quota.flow_standing import flow_has_ended, flow_rests, flow_standing
from shared.policy.quota.job_standing import job_has_ended, job_rests, job_standing
from shared.policy.quota.standing import Standing
from shared.policy.quota.sub_flows import Find, runs_as_step


class CountedKind(msgspec.Struct, frozen=True):
    """`rests`: whether nothing of a new object would run, by its spec; `has_ended`: whether an object never takes a
    place again; `covered_by_owner`: whether another object is counted instead of it, given the objects of its
    namespace by name; None for a kind of which every object counts."""

    kind: Kind
    rests: Callable[[Body], bool]
    standing_of: Callable[[Body], Standing]
    has_ended: Callable[[Body], bool]
    covered_by_owner: Callable[[Body, Find], bool] | None = None

    def is_active(self, body: Body) -> bool:
        """Whether an object takes a place or waits for one."""
        return self.standing_of(body) is not Standing.IDLE


COUNTED: Final[Mapping[Kind, CountedKind]] = {
    JOBFLOW: CountedKind(JOBFLOW, flow_rests, flow_standing, flow_has_ended, runs_as_step),
    JOB: CountedKind(JOB, job_rests, job_standing, job_has_ended),
}
