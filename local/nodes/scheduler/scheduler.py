"""Binds pods to simulated nodes by priority, then age; a pod that fits nowhere gets a PodScheduled condition."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable

import aiohttp

from local.client.rest import RestClient, RestError
from local.nodes.mirror import Key, key_of
from local.nodes.scheduler.fit import claim_obstacle, obstacle
from local.nodes.scheduler.resources import Amounts, add, amounts, requests
from local.nodes.timestamps import now_text
from shared.model.types import Body

_LOG = logging.getLogger("nodes")
_DEBOUNCE = 0.01
_AT_ONCE = 32
_AGAIN = 1.0


class Scheduler:
    """`pods`, `nodes` and `claims`: caches by (namespace, name); `touch()` triggers a scheduling round."""

    def __init__(
        self,
        client: RestClient,
        pods: dict[Key, Body],
        nodes: dict[Key, Body],
        claims: dict[Key, Body],
        names: frozenset[str] = frozenset(),
    ) -> None:
        self._client = client
        self._pods = pods
        self._nodes = nodes
        self._claims = claims
        self._names = names
        self._wake = asyncio.Event()
        self._assumed: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._asked: dict[str, Amounts] = {}
        self._limit = asyncio.Semaphore(_AT_ONCE)

    def touch(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Never returns; cancel it."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(_DEBOUNCE)
            self._wake.clear()
            self._forget()
            bindings, refusals = self._decide()
            async with asyncio.TaskGroup() as group:
                for pod, node in bindings:
                    group.create_task(self._bind(pod, node))
                for pod, why in refusals:
                    group.create_task(self._explain(pod, why))

    def _decide(self) -> tuple[list[tuple[Body, str]], list[tuple[Body, str]]]:
        waiting = sorted(filter(self._waits, self._pods.values()), key=_order)
        if not waiting:
            return [], []
        free = self._free()
        bindings, refusals = [], []
        for pod in waiting:
            node, why = "", claim_obstacle(pod, self._claims)
            if why:
                why = f"0/{len(self._nodes)} nodes are available: {why}."
            else:
                node, why = choose(pod, self._nodes.values(), free)
            if node:
                free[node] = add(free[node], self._requests(pod), -1)
                self._assumed[pod["metadata"]["uid"]] = node
                bindings.append((pod, node))
            elif self._said.get(pod["metadata"]["uid"]) != why:
                refusals.append((pod, why))
        return bindings, refusals

    def _free(self) -> dict[str, Amounts]:
        """Allocatable minus the requests of unfinished pods that are bound or assumed."""
        free = {node["metadata"]["name"]: amounts(node["status"].get("allocatable")) for node in self._nodes.values()}
        for pod in self._pods.values():
            where = pod["spec"].get("nodeName") or self._assumed.get(pod["metadata"]["uid"], "")
            if where in free and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                free[where] = add(free[where], self._requests(pod), -1)
        return free

    def _requests(self, pod: Body) -> Amounts:
        uid = pod["metadata"]["uid"]
        if uid not in self._asked:
            self._asked[uid] = requests(pod)
        return self._asked[uid]

    def _waits(self, pod: Body) -> bool:
        spec, meta = pod["spec"], pod["metadata"]
        return (
            not spec.get("nodeName")
            and not spec.get("schedulingGates")
            and "deletionTimestamp" not in meta
            and meta["uid"] not in self._assumed
            and (not self._names or spec.get("schedulerName") in self._names)
        )

    def _forget(self) -> None:
        """Drop assumed pods that are bound or gone."""
        waiting = {pod["metadata"]["uid"] for pod in self._pods.values() if not pod["spec"].get("nodeName")}
        self._assumed = {uid: node for uid, node in self._assumed.items() if uid in waiting}
        self._said = {uid: why for uid, why in self._said.items() if uid in waiting}
        known = {pod["metadata"]["uid"] for pod in self._pods.values()}
        self._asked = {uid: asked for uid, asked in self._asked.items() if uid in known}

    async def _bind(self, pod: Body, node: str) -> None:
        namespace, name = key_of(pod)
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": namespace, "uid": pod["metadata"]["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        async with self._limit:
            try:
                await self._client.create(f"/api/v1/namespaces/{namespace}/pods/{name}/binding", binding)
            except (RestError, aiohttp.ClientError, TimeoutError) as error:
                _LOG.info("binding %s/%s: %s", namespace, name, error)
                self._assumed.pop(pod["metadata"]["uid"], None)
                asyncio.get_running_loop().call_later(_AGAIN, self.touch)

    async def _explain(self, pod: Body, why: str) -> None:
        namespace, name = key_of(pod)
        said = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": why,
            "lastTransitionTime": now_text(),
        }
        others = [each for each in pod.get("status", {}).get("conditions") or [] if each["type"] != "PodScheduled"]
        async with self._limit:
            try:
                body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"conditions": [*others, said]}}
                await self._client.patch(f"/api/v1/namespaces/{namespace}/pods/{name}/status", body)
                self._said[pod["metadata"]["uid"]] = why
            except (RestError, aiohttp.ClientError, TimeoutError) as error:
                _LOG.info("explaining %s/%s: %s", namespace, name, error)


def choose(pod: Body, nodes: Iterable[Body], free: dict[str, Amounts]) -> tuple[str, str]:
    """The node with the most free CPU that the pod fits on, or "" and the reason."""
    fitting: list[str] = []
    reasons: Counter[str] = Counter()
    for node in nodes:
        name = node["metadata"]["name"]
        why = obstacle(pod, node, free[name])
        if why:
            reasons[why] += 1
        else:
            fitting.append(name)
    if fitting:
        return max(fitting, key=lambda name: free[name].get("cpu", 0)), ""
    shown = ", ".join(f"{count} {why}" for why, count in sorted(reasons.items()))
    return "", f"0/{reasons.total()} nodes are available: {shown}."


def _order(pod: Body) -> tuple[int, str, str]:
    return -pod["spec"].get("priority", 0), pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]
