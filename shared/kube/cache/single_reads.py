"""Objects of a kind that are asked for one by one: nothing is listed or watched, so no right to do so is needed."""

from typing import Final

from shared.key import Key
from shared.kinds import Kind
from shared.kube.client.errors import NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body


class SingleReads:
    """What is known of some objects of one kind: the last look at each, and own writes since. Never change a body."""

    def __init__(self, api: ApiReader, kind: Kind) -> None:
        self.kind: Final = kind
        self._api = api
        self._known: dict[Key, Body | None] = {}

    def get(self, namespace: str, name: str) -> Body | None:
        """As it was last seen or written; None when it was not there, or never looked at."""
        return self._known.get(Key(namespace, name))

    async def read(self, namespace: str, name: str) -> None:
        """Look at it now. Raises ApiError, other than NotFound."""
        try:
            self.assume(await self._api.get(self.kind, namespace, name))
        except NotFound:
            self._known[Key(namespace, name)] = None

    def forget(self, namespace: str, name: str) -> None:
        self._known.pop(Key(namespace, name), None)

    def assume(self, body: Body) -> None:
        """The API server's answer to a look or an own write. Takes `body` over: do not change it afterwards."""
        metadata = body["metadata"]
        metadata.pop("managedFields", None)
        self._known[Key(metadata.get("namespace", ""), metadata["name"])] = body

    def assume_deleted(self, namespace: str, name: str, uid: str) -> None:
        """An own delete removed the object; a namesake that was seen since stays."""
        known = self.get(namespace, name)
        if known is None or not uid or known["metadata"]["uid"] == uid:
            self._known[Key(namespace, name)] = None
