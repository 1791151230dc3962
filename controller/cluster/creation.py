"""Creates an object exactly once, even when an answer is lost or a request is repeated."""

from typing import Final

from controller.decision import Create
from controller.owner_references import controller_of
from shared.kube.cache.cache import Caches
from shared.kube.client.api import Api
from shared.kube.client.errors import AlreadyExists, ApiError, NotFound, Unavailable
from shared.model.types import Body

NOT_CREATED: Final = frozenset({429, 500})
TEMPORARY: Final = frozenset({401, 408, 429})  # client errors after which a retry may succeed


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
            raise NameTaken(action, found)
        return found


class NameTaken(AlreadyExists):
    """The name of an object to create belongs to an object of another owner.

    `leaving`: that object is being deleted, or will be deleted by the garbage collector, because its owner was an
    earlier object with the name of ours.
    """

    def __init__(self, action: Create, found: Body) -> None:
        ours, theirs = controller_of(action.body), controller_of(found)
        name = f'{action.kind.kind} "{found["metadata"]["name"]}"'
        earlier = bool(theirs) and all(ours.get(field) == theirs.get(field) for field in ("kind", "name"))
        deleting = "deletionTimestamp" in found["metadata"]
        self.leaving = deleting or earlier
        if deleting:
            super().__init__(f"the old {name} is being deleted; waiting until it is gone")
        elif earlier:
            super().__init__(
                f"{name} of an earlier {theirs['kind']} of this name has yet to be deleted; waiting until it is gone"
            )
        else:
            super().__init__(f"{name} already exists and belongs to {_owner(theirs)}; delete or rename it")


def _owner(owner: Body) -> str:
    return f"{owner.get('kind')} {owner.get('name')!r} (uid {owner.get('uid')})" if owner else "no controller"


def is_refusal(error: ApiError) -> bool:
    """Whether the API server refused the request and a retry at once cannot succeed: quota, RBAC, validation, name conflict."""
    if isinstance(error, AlreadyExists):
        return True
    return 400 <= error.code < 500 and error.code not in TEMPORARY and error.code != 409


def is_not_created(error: ApiError) -> bool:
    """Whether a failed create is known to have created nothing, so that users should see the error: a refusal, or a server
    or webhook that is overloaded (429, after the client's retries) or has failed (500, after a read of the object)."""
    return is_refusal(error) or error.code in NOT_CREATED
