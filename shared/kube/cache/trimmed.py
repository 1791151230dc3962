"""The parts of bodies that caches keep: a cluster may have thousands of nodes, and their images would fill the memory."""

from shared.kube.cache.cache import strip
from shared.model.types import Body


def only_resources(node: Body) -> Body:
    """Nodes without images and addresses."""
    status = strip(node).get("status") or {}
    return {**node, "status": {key: status[key] for key in ("allocatable", "capacity") if key in status}}


def only_metadata(body: Body) -> Body:
    """For kinds of which only the existence matters."""
    return {"apiVersion": body.get("apiVersion"), "kind": body.get("kind"), "metadata": strip(body)["metadata"]}


def only_allowed(quota: Body) -> Body:
    """ResourceQuotas without what is used, which changes with every pod."""
    hard = (quota.get("status") or {}).get("hard") or {}
    return {**only_metadata(quota), "status": {"hard": hard}}
