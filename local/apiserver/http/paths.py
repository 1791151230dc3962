"""Parse the path of a request: its resource and verb."""

from typing import NamedTuple

from local.apiserver.call import truthy

_NAMESPACE_SUBS = {"status", "finalize"}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


class ResourcePath(NamedTuple):
    """The parts of a resource URL."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def parse(path: str) -> ResourcePath | None:
    """The resource that a path names; None for a path that names none."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in _NAMESPACE_SUBS:
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    return ResourcePath(group, version, rest[0], namespace, name, "/".join(rest[2:]))


def verb(method: str, where: ResourcePath, query: dict[str, str]) -> str:
    """The API verb of a request, as RBAC and admission name it."""
    if method in ("GET", "HEAD"):
        if truthy(query.get("watch", "")):
            return "watch"
        return "get" if where.name else "list"
    if method == "DELETE":
        return "delete" if where.name else "deletecollection"
    return _VERBS.get(method, method.lower())
