"""The caBundle of webhook configurations: whether it is right, and the patch that makes it so. Pure."""

import base64

from shared.model.types import Body


def trusts(configuration: Body, bundle: bytes) -> bool:
    """Every webhook of the configuration carries exactly this bundle."""
    wanted = base64.b64encode(bundle).decode()
    hooks = configuration.get("webhooks") or []
    return all(hook.get("clientConfig", {}).get("caBundle") == wanted for hook in hooks)


def bundles(configuration: Body) -> set[bytes]:
    """What the API server trusts, webhook by webhook; empty bytes: its own roots. Raises ValueError for bad base64."""
    hooks = configuration.get("webhooks") or []
    return {base64.b64decode(hook.get("clientConfig", {}).get("caBundle") or "") for hook in hooks}


def patch(configuration: Body, bundle: bytes) -> list[Body]:
    """JSON patch that sets it, guarded by the resourceVersion so that a concurrent change of the list is not hit."""
    wanted = base64.b64encode(bundle).decode()
    version = configuration["metadata"]["resourceVersion"]
    guard = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
    hooks = configuration.get("webhooks") or []
    return [
        guard,
        *({"op": "add", "path": f"/webhooks/{i}/clientConfig/caBundle", "value": wanted} for i in range(len(hooks))),
    ]
