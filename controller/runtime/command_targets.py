"""A Command is judged by the object that is there: the cache may still show a forerunner of the same name.

The Command of somebody who made an object anew may be seen before that object is; taken for one that is meant for
another object, it would be deleted without effect (decisions row 13).
"""

from collections.abc import Iterable

from shared.key import Key
from shared.kube.cache.cache import Cache, Caches
from shared.kube.client.api import Api
from shared.kube.client.errors import NotFound
from shared.model.types import Body


async def catch_up(api: Api, caches: Caches, objects: Cache, key: Key, commands: Iterable[Body]) -> None:
    """Look at the object named `key` itself if one of its Commands names another uid than the cached one has.

    Raises ApiError. An object that is gone is left to the watch: who named its uid cannot mean one yet to come.
    """
    meant = {uid for uid in map(_target_uid, commands) if uid}
    body = objects.get(*key) if meant else None
    if body is None or meant == {body["metadata"]["uid"]}:
        return
    try:
        caches.assume(objects.kind, await api.get(objects.kind, *key))
    except NotFound:
        return


def _target_uid(command: Body) -> str:
    return str((command.get("target") or {}).get("uid") or "")
