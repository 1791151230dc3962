"""What `kubectl drain` does, for tests: cordon a node and evict its pods."""

from local.client.rest import RestClient, RestError


async def cordon(client: RestClient, node: str, on: bool = True) -> None:
    await client.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": on}})


async def evict(client: RestClient, namespace: str, pod: str, grace: int | None = None) -> None:
    """Evict a pod through the eviction API, so that it gets the DisruptionTarget condition."""
    options = {} if grace is None else {"deleteOptions": {"gracePeriodSeconds": grace}}
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace},
    }
    await client.create(f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction", body | options)


async def drain(client: RestClient, node: str, grace: int | None = None) -> list[str]:
    """Cordon the node and evict every unfinished pod on it; the names of those evicted."""
    await cordon(client, node)
    evicted = []
    for pod in (await client.get("/api/v1/pods", fieldSelector=f"spec.nodeName={node}"))["items"]:
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            continue
        try:
            await evict(client, pod["metadata"]["namespace"], pod["metadata"]["name"], grace)
        except RestError as error:
            if error.code != 404:
                raise
        evicted.append(pod["metadata"]["name"])
    return evicted
