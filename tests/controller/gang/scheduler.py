"""A scheduler without gang scheduling: it binds every pod that fits anywhere, in any order."""

import random
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from local.nodes.scheduler.fit import obstacle
from local.nodes.scheduler.resources import add, amounts, requests
from shared.model.types import Body


def bind_where_it_fits(pods: Collection[Body], nodes: Mapping[str, Body], rng: random.Random) -> Iterator[Body]:
    """The pods without gate, bound to a node or marked Unschedulable."""
    waiting = [pod for pod in pods if not pod["spec"].get("nodeName") and not pod["spec"].get("schedulingGates")]
    rng.shuffle(waiting)
    free = _free(pods, nodes)
    for pod in waiting:
        fitting = [name for name in nodes if not obstacle(pod, nodes[name], free[name])]
        if fitting:
            chosen = rng.choice(fitting)
            free[chosen] = add(free[chosen], requests(pod), -1)
            yield {**pod, "spec": {**pod["spec"], "nodeName": chosen}, "status": {"phase": "Running"}}
        else:
            why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node fits"}
            yield {**pod, "status": {"phase": "Pending", "conditions": [why]}}


def _free(pods: Collection[Body], nodes: Mapping[str, Body]) -> dict[str, Any]:
    free = {name: amounts(body["status"]["allocatable"]) for name, body in nodes.items()}
    for pod in pods:
        where = pod["spec"].get("nodeName")
        if where in free and pod["status"]["phase"] not in ("Succeeded", "Failed"):
            free[where] = add(free[where], requests(pod), -1)
    return free
