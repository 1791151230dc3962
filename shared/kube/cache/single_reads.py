"""Objects of a kind that are read one by one, without list and watch.

Used for Secrets of the ssh plugin: the controller then needs no permission to list or watch them.
"""

from typing import Final

from shared.key import Key
from shared.kinds import Kind
from shared.kube.client.errors import NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body


class SingleReads:
    """The latest known state of some objects of one kind: the last read, or own writes since. Never change a body."""

    def __init__(self, api: ApiReader, kind: Kind) -> None:
        self.kind: Final = kind
        self._api = api
        self._known: dict[Key, Body | None] = {}

    def get(self, namespace: str, name: str) -> Body | None:
        """The object as last read or written; None if it did not exist or was never read."""
        return self._known.get(Key(namespace, name))

    async def read(self, namespace: str, name: str) -> None:
        """Reads the object now. Raises ApiError, except NotFound."""
        try:
            self.assume(await self._api.get(self.kind, namespace, name))
        except NotFound:
            self._known[Key(namespace, name)] = None

    def forget(self, namespace: str, name: str) -> None:
        self._known.pop(Key(namespace, name), None)

    def assume(self, body: Body) -> None:
        """Stores the API server's answer to a read or an own write. Takes ownership of `body`."""
        metadata = body["metadata"]
        metadata.pop("managedFields", None)
        self._known[Key(metadata.get("namespace", ""), metadata["name"])] = body

    def assume_deleted(self, namespace: str, name: str, uid: str) -> None:
        """Removes an object that an own delete removed. An object of the same name that was read since stays."""
        known = self.get(namespace, name)
        if known is None or not uid or known["metadata"]["uid"] == uid:
            self._known[Key(namespace, name)] = None
