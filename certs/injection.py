"""The caBundle of webhook configurations: reading it and the JSON patch that sets it. Pure."""

import base64

from shared.model.types import Body


def trusts(configuration: Body, bundle: bytes) -> bool:
    """Whether every webhook of the configuration contains exactly this bundle."""
    wanted = base64.b64encode(bundle).decode()
    hooks = configuration.get("webhooks") or []
    return all(hook.get("clientConfig", {}).get("caBundle") == wanted for hook in hooks)


def bundles(configuration: Body) -> set[bytes]:
    """The distinct CA bundles of the webhooks; empty bytes mean the system's CAs. Raises ValueError for bad base64."""
    hooks = configuration.get("webhooks") or []
    return {base64.b64decode(hook.get("clientConfig", {}).get("caBundle") or "") for hook in hooks}


def services(configuration: Body) -> set[tuple[str, str]]:
    """(namespace, name) of the Services that the webhooks call; ('', '') for a webhook with a URL."""
    hooks = configuration.get("webhooks") or []
    found = [hook.get("clientConfig", {}).get("service") or {} for hook in hooks]
    return {(str(service.get("namespace", "")), str(service.get("name", ""))) for service in found}


def patch(configuration: Body, bundle: bytes) -> list[Body]:
    """The JSON patch that sets the bundle. It tests the resourceVersion, since it addresses webhooks by their index."""
    wanted = base64.b64encode(bundle).decode()
    version = configuration["metadata"]["resourceVersion"]
    guard = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
    hooks = configuration.get("webhooks") or []
    return [
        guard,
        *({"op": "add", "path": f"/webhooks/{i}/clientConfig/caBundle", "value": wanted} for i in range(len(hooks))),
    ]
