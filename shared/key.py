"""The key of an API object: namespace and name.

Caches, work queues and deciding code name objects by it. The kind is known from where a key is used.
"""

from typing import NamedTuple

from shared.model.types import Body


class Key(NamedTuple):
    """Names an object of a known kind. `namespace` is '' for cluster-scoped kinds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def key_of(body: Body) -> Key:
    """The key in a body's metadata. KeyError without a name."""
    metadata = body["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"])
