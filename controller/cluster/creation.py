"""Creates an object exactly once, even when an answer is lost or a request is repeated."""

from typing import Final

from controller.decision import Create
from controller.owner_references import controller_of
from shared.kinds import Kind
from shared.kube.cache.cache import Caches
from shared.kube.client.api import Api
from shared.kube.client.errors import AlreadyExists, ApiError, NotFound, Unavailable
from shared.model.types import Body

NOT_CREATED: Final = frozenset({429, 500})
TEMPORARY: Final = frozenset({401, 408, 429})  # client errors for which a retry may succeed


class Creator:
    def __init__(self, api: Api, caches: Caches) -> None:
        self._api = api
        self._caches = caches

    async def create(self, action: Create) -> Body:
        """The stored object. Raises AlreadyExists when an object of that name has another controller.

        Safe to repeat, because names are deterministic: an existing object with the same controller uid was created by an
        earlier pass, or by this request when its answer was lost.
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
                raise error from None  # not created, or not yet: the next pass finds out
            return await self._api.create(action.kind, action.body)  # deleted between the two
        ours = controller_of(action.body)
        theirs = controller_of(found)
        if ours and ours.get("uid") != theirs.get("uid"):
            self._caches.assume(action.kind, found)
            raise AlreadyExists(name_conflict(action.kind, metadata["name"], theirs))
        return found


def name_conflict(kind: Kind, name: str, owner: Body) -> str:
    whose = f"{owner.get('kind')} {owner.get('name')!r} (uid {owner.get('uid')})" if owner else "no controller"
    return f'{kind.kind} "{name}" already exists and belongs to {whose}; delete or rename it'


def is_refusal(error: ApiError) -> bool:
    """Whether the API server refused the request and a retry at once cannot succeed: quota, RBAC, validation, name conflict."""
    if isinstance(error, AlreadyExists):
        return True
    return 400 <= error.code < 500 and error.code not in TEMPORARY and error.code != 409


def is_not_created(error: ApiError) -> bool:
    """Whether a failed create is known to have created nothing, so that users should see the error: a refusal, or a server
    or webhook that is overloaded (429, after the client's retries) or has failed (500, after a read of the object)."""
    return is_refusal(error) or error.code in NOT_CREATED
