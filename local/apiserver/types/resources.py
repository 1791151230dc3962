"""The served resources: one `Resource` for every version of every kind, built-in or from a CRD."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from local.apiserver.storage.store import GroupResource
from shared.model.types import Body

METADATA = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class PrinterColumn:
    """One printed column: for a CRD, `path` is the JSONPath of additionalPrinterColumns."""

    name: str
    type: str = "string"
    path: str = ""
    priority: int = 0
    format: str = ""
    description: str = ""


@dataclass(frozen=True)
class Resource:
    """One version of one kind: its path and its rules."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: frozenset[str] = frozenset()
    list_kind: str = ""
    schema: Body | None = field(default=None, compare=False)
    custom: bool = False
    storage_version: str = ""
    columns: tuple[PrinterColumn, ...] = ()
    scale: Body | None = field(default=None, compare=False)
    keeps_unknown: bool = False
    deprecation: str = ""
    crd_name: str = ""

    @cached_property
    def gr(self) -> GroupResource:
        return (self.group, self.plural)

    @cached_property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def listed_as(self) -> str:
        return self.list_kind or self.kind + "List"

    @cached_property
    def prefix(self) -> bytes:
        """The start of an object's JSON in this version; what follows is the entry's body without its brace."""
        return f'{{"apiVersion":"{self.api_version}","kind":"{self.kind}",'.encode()

    @cached_property
    def typed(self) -> Body:
        """The schema with the metadata that every object has; what server-side apply knows lists and maps by."""
        schema = self.schema or {}
        if not self.custom:
            return schema
        return {**schema, "properties": {**(schema.get("properties") or {}), "metadata": {"$ref": METADATA}}}

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources

    def encode(self, body: bytes) -> bytes:
        return self.prefix + body[1:]


class ResourceRegistry:
    """The served resources, by where they are served and by kind."""

    def __init__(self, resources: tuple[Resource, ...] = ()) -> None:
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str, str], Resource] = {}
        self._main: dict[GroupResource, Resource] = {}
        self.revision = 0
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        self._by_path[resource.group, resource.version, resource.plural] = resource
        self._by_kind[resource.group, resource.version, resource.kind] = resource
        if resource.gr not in self._main or resource.version == (resource.storage_version or resource.version):
            self._main[resource.gr] = resource
        self.revision += 1

    def remove(self, gr: GroupResource) -> None:
        """Stop serving all versions of this resource."""
        for resource in [found for found in self._by_path.values() if found.gr == gr]:
            del self._by_path[resource.group, resource.version, resource.plural]
            self._by_kind.pop((resource.group, resource.version, resource.kind), None)
        self._main.pop(gr, None)
        self.revision += 1

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        return self._by_path.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        group, _, version = api_version.rpartition("/")
        return self._by_kind.get((group, version, kind))

    def main(self, gr: GroupResource) -> Resource | None:
        """The storage version of a resource."""
        return self._main.get(gr)

    def namespaced(self) -> Iterator[Resource]:
        return (resource for resource in tuple(self._main.values()) if resource.namespaced)

    def __iter__(self) -> Iterator[Resource]:
        return iter(tuple(self._by_path.values()))

    def versions(self) -> dict[str, dict[str, list[Resource]]]:
        """group -> version -> its resources; versions in Kubernetes' order (newest stable first)."""
        groups: dict[str, dict[str, list[Resource]]] = {}
        for resource in self:
            groups.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
        return {
            group: dict(sorted(found.items(), key=lambda item: version_rank(item[0]), reverse=True))
            for group, found in groups.items()
        }


def version_rank(version: str) -> tuple[int, int, int]:
    """Kubernetes' order of versions: v2 > v1 > v1beta2 > v1beta1 > v1alpha1."""
    for rank, mark in ((1, "beta"), (0, "alpha")):
        major, found, minor = version.lstrip("v").partition(mark)
        if found and major.isdigit():
            return (rank, int(major), int(minor or 0))
    number = version.lstrip("v")
    return (2, int(number), 0) if number.isdigit() else (-1, 0, 0)
