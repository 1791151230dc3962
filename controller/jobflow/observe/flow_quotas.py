"""What the quota book needs to know about JobFlows."""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from controller.quota.book import QuotaBook, QuotaKind
from shared.kinds import JOBFLOW
from shared.kube.cache.cache import Cache, Caches
from shared.model.step import raw_steps
from shared.model.types import Body
from shared.policy.quota.counted import COUNTED
from shared.policy.quota.flow_standing import flow_part
from shared.policy.quota.sub_flows import runs_as_step
from shared.policy.raw import elements, mapping

_OF_STEPS: Final = ("name", "phase", "attempts", "iterations")


def _part(flow: Body) -> Body:
    """The suspension of a flow, its steps that run flows, and what its status says of these and of itself."""
    steps = [{"name": step.get("name"), "flow": True} for step in raw_steps(flow) if step.get("flow")]
    names = {step["name"] for step in steps}
    states = [
        {name: state[name] for name in _OF_STEPS if name in state}
        for state in elements(mapping(flow.get("status")).get("steps"))
        if state.get("name") in names
    ]
    spec = {"suspend": mapping(flow.get("spec")).get("suspend"), "flows": steps}
    return {"spec": spec, "status": {**flow_part(flow), "steps": states}}


_FLOWS: Final = QuotaKind(
    msgspec.structs.replace(COUNTED[JOBFLOW], covered_by_owner=partial(runs_as_step, strict=True)), _part
)


def flow_quotas(caches: Caches, flows: Cache, clock: Callable[[], float]) -> QuotaBook:
    """The book of the quotas of JobFlows. `flows`: the cache of all of them; `clock`: epoch seconds."""
    return QuotaBook(caches, flows, _FLOWS, clock)
