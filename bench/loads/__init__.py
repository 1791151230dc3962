"""The loads, by letter. A load runs on a BenchCluster with one side and returns figures."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from bench import enforcement
from bench.cluster import BenchCluster
from bench.loads import (
    admission,
    gang_rounds,
    growing,
    job_pods,
    lists,
    long_chain,
    many_flows,
    memory,
    one_flow,
    python_package,
    status_age,
    take_over,
    web_pages,
    whole_stack,
    wide_flow,
)
from bench.peer import Side
from shared.model.types import Body


class BenchLoad(msgspec.Struct, frozen=True):
    """`seconds`: the timeout of a run; `beside`: whether a peer can run it too."""

    title: str
    measure: Callable[[BenchCluster, Side, float], Awaitable[Body]]
    seconds: float
    beside: bool = True


LOADS: Final[Mapping[str, BenchLoad]] = {
    "a": BenchLoad("one flow of 5 steps", one_flow.measure, 120),
    "b": BenchLoad("200 flows x 5 steps at once", many_flows.at_once, 180),
    "c": BenchLoad("500 independent steps", wide_flow.measure, 180),
    "d": BenchLoad("a chain of 200", long_chain.measure, 180),
    "e": BenchLoad("flows x 5 steps at 50 a second", many_flows.trickle, 300),
    "f": BenchLoad("100 Jobs x 12 pods, a Job of 1000", job_pods.measure, 400, beside=False),
    "g": BenchLoad("admission", admission.measure, 400, beside=False),
    "h": BenchLoad("idle flows and Jobs in cache", memory.measure, 600, beside=False),
    "i": BenchLoad("flows of 10, 100, 1000 steps", growing.measure, 300),
    "j": BenchLoad("50 flows x 5 steps with pods", whole_stack.measure, 300),
    "k": BenchLoad("1000 waiting gangs on 500 nodes", gang_rounds.measure, 120, beside=False),
    "l": BenchLoad("status of 1000 steps and of a small flow beside them", status_age.measure, 400),
    "m": BenchLoad("web pages: 5000 flows, 2000 steps, 50 people", web_pages.measure, 900, beside=False),
    "n": BenchLoad("the Python package", python_package.measure, 300, beside=False),
    "o": BenchLoad("take-over after the leader is killed", take_over.measure, 120, beside=False),
    "p": BenchLoad("list and status of 1500 flows beside kubectl", lists.measure, 300, beside=False),
    "q": BenchLoad("policies in the API server, by their number", enforcement.measure, 1200, beside=False),
    "r": BenchLoad("Events of 300 flows that end at once", many_flows.event_delay, 600, beside=False),
}
