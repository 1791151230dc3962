"""The loads, by letter. A load is measured on a ground for one side, and gives its figures."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from bench.ground import Ground
from bench.loads import (
    admission,
    gang_rounds,
    growing,
    job_pods,
    long_chain,
    many_flows,
    memory,
    one_flow,
    trickle,
    whole_stack,
    wide_flow,
)
from bench.peer import Side
from shared.model.types import Body


class Load(msgspec.Struct, frozen=True):
    """`seconds`: after which a run is given up; `beside`: whether a peer can be put under it too."""

    title: str
    measure: Callable[[Ground, Side, float], Awaitable[Body]]
    seconds: float
    beside: bool = True


LOADS: Final[Mapping[str, Load]] = {
    "a": Load("one flow of 5 steps", one_flow.measure, 120),
    "b": Load("200 flows x 5 steps at once", many_flows.measure, 180),
    "c": Load("500 independent steps", wide_flow.measure, 180),
    "d": Load("a chain of 200", long_chain.measure, 180),
    "e": Load("flows x 5 steps at 50 a second", trickle.measure, 300),
    "f": Load("100 Jobs x 12 pods, a Job of 1000", job_pods.measure, 400, beside=False),
    "g": Load("admission", admission.measure, 400, beside=False),
    "h": Load("idle flows and Jobs in cache", memory.measure, 600, beside=False),
    "i": Load("flows of 10, 100, 1000 steps", growing.measure, 300),
    "j": Load("50 flows x 5 steps with pods", whole_stack.measure, 300),
    "k": Load("1000 waiting gangs on 500 nodes", gang_rounds.measure, 120, beside=False),
}
