"""Checks the uid in a Command against the stored object when the cache may still show an older object of that name.

The watch may deliver a Command before the new object that it names. Compared with the cached old object, the Command
would be deleted without effect (docs/design/decisions.md, row 13).
"""

from collections.abc import Iterable

from shared.key import Key
from shared.kube.cache.cache import Cache, Caches
from shared.kube.client.api import Api
from shared.kube.client.errors import NotFound
from shared.model.types import Body


async def catch_up(api: Api, caches: Caches, objects: Cache, key: Key, commands: Iterable[Body]) -> None:
    """Read the object named `key` from the API server if one of its Commands has another uid than the cached object.

    Raises ApiError. If the object is gone, the cache is left to the watch: the uid cannot be that of a future object.
    """
    target_uids = {uid for uid in map(_target_uid, commands) if uid}
    body = objects.get(*key) if target_uids else None
    if body is None or target_uids == {body["metadata"]["uid"]}:
        return
    try:
        caches.assume(objects.kind, await api.get(objects.kind, *key))
    except NotFound:
        return


def _target_uid(command: Body) -> str:
    return str((command.get("target") or {}).get("uid") or "")
