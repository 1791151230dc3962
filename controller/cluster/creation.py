"""Creates an object so that it exists once, whatever is lost on the way."""

from typing import Final

from controller.decision import Create
from shared.kinds import Kind
from shared.kube.cache.cache import Caches
from shared.kube.client.api import Api
from shared.kube.client.errors import AlreadyExists, ApiError, NotFound, Unavailable
from shared.model.types import Body

BROKEN: Final = frozenset({429, 500})
PASSING: Final = frozenset({401, 408, 429})  # client errors that heal by themselves


class Creator:
    def __init__(self, api: Api, caches: Caches) -> None:
        self._api = api
        self._caches = caches

    async def create(self, action: Create) -> Body:
        """The stored object, ours. Raises AlreadyExists when the name belongs to somebody else.

        Safe to repeat: names are deterministic, so an existing object with our controller's uid is the one meant,
        whether made by an earlier pass or by this one's request whose answer was lost.
        """
        try:
            stored = await self._api.create(action.kind, action.body)
        except AlreadyExists as error:
            stored = await self._existing(action, error)
        except Unavailable as error:
            if not error.may_have_happened:
                raise
            stored = await self._existing(action, error)
        self._caches.assume(action.kind, stored)
        return stored

    async def _existing(self, action: Create, error: ApiError) -> Body:
        metadata = action.body["metadata"]
        try:
            found = await self._api.get(action.kind, metadata.get("namespace", ""), metadata["name"])
        except NotFound:
            if isinstance(error, Unavailable):
                raise error from None  # not carried out, or not yet: the next pass sees
            return await self._api.create(action.kind, action.body)  # deleted between the two
        ours = controller_of(action.body)
        theirs = controller_of(found)
        if ours and ours.get("uid") != theirs.get("uid"):
            self._caches.assume(action.kind, found)
            raise AlreadyExists(taken(action.kind, metadata["name"], theirs))
        return found


def controller_of(body: Body) -> Body:
    """The ownerReference of the controller, or an empty one."""
    for reference in body["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return {}


def taken(kind: Kind, name: str, owner: Body) -> str:
    whose = f"{owner.get('kind')} {owner.get('name')!r} (uid {owner.get('uid')})" if owner else "no controller"
    return f'{kind.kind} "{name}" already exists and belongs to {whose}; delete or rename it'


def is_refusal(error: ApiError) -> bool:
    """Whether the API server has said no, and would say so again: quota, rights, validity, a taken name."""
    if isinstance(error, AlreadyExists):
        return True
    return 400 <= error.code < 500 and error.code not in PASSING and error.code != 409


def is_not_made(error: ApiError) -> bool:
    """Whether the object of a failed creation is not there, and why is worth telling: a refusal; a server, or a webhook
    behind it, that has no time (429, after the client's own tries) or has failed (500, after a look whether it is there)."""
    return is_refusal(error) or error.code in BROKEN
