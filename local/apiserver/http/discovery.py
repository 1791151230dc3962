"""Discovery: /version, /api, /apis, the group-version lists, and aggregated discovery v2."""

from local.apiserver.types.resources import Resource, ResourceRegistry
from shared.model.types import Body

VERSION: Body = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.0",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-04-22T00:00:00Z",
    "goVersion": "go1.26.0",
    "compiler": "gc",
    "platform": "linux/amd64",
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_SUB_VERBS: dict[str, tuple[str, ...]] = {
    "status": ("get", "patch", "update"),
    "scale": ("get", "patch", "update"),
    "binding": ("create",),
    "eviction": ("create",),
    "token": ("create",),
    "log": ("get",),
    "finalize": ("update",),
    "ephemeralcontainers": ("get", "patch", "update"),
}
_SUB_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "binding": ("", "v1", "Binding"),
    "eviction": ("policy", "v1", "Eviction"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}


def api_versions(address: str) -> Body:
    """The answer of /api."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def groups(registry: ResourceRegistry) -> Body:
    """The answer of /apis."""
    found = [_group(name, list(versions)) for name, versions in registry.versions().items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(registry: ResourceRegistry, name: str) -> Body | None:
    """The answer of /apis/NAME; None when there is no such group."""
    versions = registry.versions().get(name)
    return None if versions is None else {"kind": "APIGroup", "apiVersion": "v1", **_group(name, list(versions))}


def _group(name: str, versions: list[str]) -> Body:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(registry: ResourceRegistry, name: str, version: str) -> Body | None:
    """The answer of /api/v1 or /apis/NAME/VERSION; None when it is not served."""
    found = registry.versions().get(name, {}).get(version)
    if found is None:
        return None
    listed: list[Body] = []
    for resource in sorted(found, key=lambda item: item.plural):
        listed.append(_legacy(resource))
        listed += [_legacy_sub(resource, sub) for sub in sorted(resource.subresources)]
    group_version = f"{name}/{version}" if name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}


def _legacy(resource: Resource) -> Body:
    found: Body = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    if "list" in resource.verbs:
        found["storageVersionHash"] = "AAAAAAAAAAA="
    return found


def _legacy_sub(resource: Resource, sub: str) -> Body:
    group_name, version, kind = _SUB_KINDS.get(sub, (resource.group, resource.version, resource.kind))
    found: Body = {
        "name": f"{resource.plural}/{sub}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": list(_SUB_VERBS[sub]),
    }
    if sub in _SUB_KINDS:
        found |= {"group": group_name, "version": version}
    return found


def aggregated(registry: ResourceRegistry, core: bool) -> Body:
    """Aggregated discovery of /api (`core`) or /apis."""
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
            "versions": [_aggregated_version(version, found) for version, found in versions.items()],
        }
        for name, versions in registry.versions().items()
        if (not name) is core
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_version(version: str, resources: list[Resource]) -> Body:
    listed = [_aggregated_resource(resource) for resource in sorted(resources, key=lambda item: item.plural)]
    return {"version": version, "resources": listed, "freshness": "Current"}


def _aggregated_resource(resource: Resource) -> Body:
    found: Body = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    if resource.subresources:
        found["subresources"] = [_aggregated_sub(resource, sub) for sub in sorted(resource.subresources)]
    return found


def _aggregated_sub(resource: Resource, sub: str) -> Body:
    group_name, version, kind = _SUB_KINDS.get(sub, (resource.group, resource.version, resource.kind))
    return {
        "subresource": sub,
        "responseKind": {"group": group_name, "version": version, "kind": kind},
        "verbs": list(_SUB_VERBS[sub]),
    }
