"""What a kube-apiserver must serve before kubectl works with it.

/readyz answers before the OpenAPI documents are complete, and some kube-apiservers always serve incomplete ones (those
built by Go 1.27 do). kubectl then fails with messages that do not name the cause.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

import yaml

Get = Callable[[str], bytes]  # path -> body of a 200 answer; raises OSError otherwise


class ServedPath(NamedTuple):
    """A path, and a key below the root of its JSON that must not be empty ("": any answer will do)."""

    path: str
    key: str = ""


READY: Final = (ServedPath("/readyz"),)
USED_BY_KUBECTL: Final = (
    ServedPath("/api", "versions"),
    ServedPath("/apis", "groups"),
    ServedPath("/openapi/v2", "definitions"),
    ServedPath("/openapi/v3", "paths"),
    ServedPath("/openapi/v3/api/v1", "components"),
)


def openapi_of(crds: Path) -> tuple[ServedPath, ...]:
    """The OpenAPI documents of the CRDs in a folder, which are published some time after the CRDs are established."""
    specs = [yaml.safe_load(file.read_text())["spec"] for file in sorted(crds.glob("*.yaml"))]
    found = {f"/openapi/v3/apis/{spec['group']}/{each['name']}" for spec in specs for each in spec["versions"]}
    return tuple(ServedPath(path, "components") for path in sorted(found))


def missing(get: Get, paths: Iterable[ServedPath]) -> list[str]:
    """A line for each path that is not served correctly."""
    return [f"{each.path}: {why}" for each in paths if (why := _obstacle(get, each))]


def _obstacle(get: Get, wanted: ServedPath) -> str:
    try:
        body = get(wanted.path)
    except OSError as error:
        return str(error)
    if not wanted.key:
        return ""
    try:
        found = json.loads(body)
    except ValueError as error:
        return f"is not valid JSON: {error}"
    return "" if isinstance(found, dict) and found.get(wanted.key) else f"has no {wanted.key}"
