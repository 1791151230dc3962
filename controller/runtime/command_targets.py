"""The Commands (bus.volcano.sh) that target the objects of one kind.

The Job, JobFlow and Queue reconcilers find their Commands here: which object a Command names, which key it wakes, and
whether the cached object is the one that it means.
"""

from collections.abc import Iterable, Iterator, Sequence

from controller.runtime.routes import reference_of
from shared.key import Key
from shared.kinds import COMMAND, Kind
from shared.kube.cache.cache import Cache, Caches
from shared.kube.client.errors import NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body


class TargetedCommands:
    """Commands whose target is of `kind`. `cache`: all Commands; its changes wake targets through `wakes`."""

    def __init__(self, kind: Kind, caches: Caches, api: ApiReader) -> None:
        self._kind = kind
        self._caches = caches
        self._api = api
        self._index = f"target-{kind.kind}"
        self.cache: Cache = caches.want(COMMAND, indexers={self._index: self._index_by_target})

    def of(self, key: Key) -> Sequence[Body]:
        """The Commands that name the object `key`."""
        return self.cache.by(self._index, str(key))

    def wakes(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The target of a Command that was added or changed. A deleted Command wakes nothing."""
        return reference_of(None, new, self._targets)

    async def catch_up(self, objects: Cache, key: Key) -> None:
        """Read the object `key` itself if one of its Commands names another uid than the cached object has.

        The cache may still show an earlier object of that name: a Command for its successor would then be deleted
        without effect. Raises ApiError. An object that is gone is left to the watch, since a Command that names a uid
        cannot mean an object that is created later.
        """
        meant = {uid for uid in map(_target_uid, self.of(key)) if uid}
        body = objects.get(*key) if meant else None
        if body is None or meant == {body["metadata"]["uid"]}:
            return
        try:
            self._caches.assume(objects.kind, await self._api.get(objects.kind, *key))
        except NotFound:
            return

    def _targets(self, command: Body) -> Iterator[Key]:
        yield from target_key(self._kind, command)

    def _index_by_target(self, command: Body) -> Iterator[str]:
        return map(str, self._targets(command))


def target_key(kind: Kind, command: Body) -> Iterator[Key]:
    """The key of the `kind` object that a Command targets; nothing when its target is of another kind."""
    target = command.get("target") or {}
    if target.get("kind") == kind.kind and str(target.get("apiVersion", "")).startswith(f"{kind.group}/"):
        namespace = command["metadata"].get("namespace", "") if kind.namespaced else ""
        yield Key(namespace, str(target.get("name", "")))


def _target_uid(command: Body) -> str:
    return str((command.get("target") or {}).get("uid") or "")
