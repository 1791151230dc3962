"""The Commands (bus.volcano.sh) that target the objects of one kind.

The Job, JobFlow and Queue reconcilers find their Commands here: which object a Command names, which key it wakes, and
whether the cached object is the one that it means.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from controller.cluster.apply import Applier
from controller.decision import Decision, Delete, Note
from controller.runtime.routes import reference_of
from shared.key import Key
from shared.kinds import COMMAND, Kind
from shared.kube.cache.cache import Cache, Caches
from shared.kube.client.errors import NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body

TARGET_NOT_FOUND: Final = "TargetNotFound"


class TargetedCommands:
    """Commands whose target is of `kind`. `cache`: all Commands; its changes wake targets through `wakes`."""

    def __init__(self, kind: Kind, caches: Caches, api: ApiReader, applier: Applier) -> None:
        self._kind = kind
        self._caches = caches
        self._api = api
        self._applier = applier
        self._index = f"target-{kind.kind}"
        self.cache: Cache = caches.want(COMMAND, indexers={self._index: self._index_by_target})

    def of(self, key: Key) -> Sequence[Body]:
        """The Commands that name the object `key`."""
        return self.cache.by(self._index, str(key))

    def wakes(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The target of a Command that was added or changed. A deleted Command wakes nothing."""
        return reference_of(None, new, self._targets)

    async def catch_up(self, objects: Cache, key: Key) -> None:
        """Read the object `key` itself if it is not in the cache, or if one of its Commands names another uid.

        The cache may still show an earlier object of that name: a Command for its successor would then be deleted
        without effect. Commands on an object that does not exist are deleted, with a Warning event on each: a uid
        cannot be that of an object that is created later. Raises ApiError.
        """
        commands = self.of(key)
        if not commands:
            return
        body = objects.get(*key)
        if body is not None and _is_meant(commands, body):
            return
        try:
            self._caches.assume(objects.kind, await self._api.get(objects.kind, *key))
        except NotFound:
            if body is None:
                await self._end(commands, key)

    async def _end(self, commands: Sequence[Body], key: Key) -> None:
        for command in commands:
            metadata = command["metadata"]
            said = f"{command.get('action')} has no effect: {self._kind.kind} {key.name} does not exist"
            decision = Decision(
                actions=(Delete(COMMAND, metadata.get("namespace", ""), metadata["name"], metadata["uid"]),),
                notes=(Note(TARGET_NOT_FOUND, said, "Warning"),),
            )
            if "deletionTimestamp" not in metadata:
                await self._applier.apply(COMMAND, command, decision)

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


def _is_meant(commands: Iterable[Body], body: Body) -> bool:
    return {uid for uid in map(_target_uid, commands) if uid} <= {body["metadata"]["uid"]}


def _target_uid(command: Body) -> str:
    return str((command.get("target") or {}).get("uid") or "")
