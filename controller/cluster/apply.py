"""Carries out a Decision: actions, one status write, cleanup, notes."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Final, assert_never

import msgspec

from controller import metrics
from controller.cluster.creation import Creator, NameTaken, is_not_created, is_refusal
from controller.cluster.errors import NotLeader, StaleError
from controller.cluster.events import Recorder
from controller.cluster.slow_start import SlowStart
from controller.decision import Action, Child, Create, Decision, Delete, Patch, Refusal, name_of
from shared.kinds import PODGROUP, Kind
from shared.kube.cache.cache import Caches
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError, Conflict, Gone, Invalid, NotFound, Unavailable
from shared.model.types import Body

STORED: ContextVar[bool] = ContextVar("stored", default=False)
"""Whether the current pass has stored a status: the log shows such passes at level info."""
WITHOUT_STATUS_SUBRESOURCE: Final = frozenset({PODGROUP})


class Outcome(msgspec.Struct, frozen=True):
    """`refusals`: actions that the API server refused; `body`: the reconciled object as it is stored now.

    `done`: False when an action was refused. Then status, cleanup and notes were not carried out: decide again with the
    refusals known.
    """

    body: Body
    refusals: Mapping[Child, Refusal]
    done: bool = True


class Applier:
    """`is_leader`: whether this process may write now; called before every write. `now`: epoch seconds."""

    def __init__(
        self,
        api: Api,
        caches: Caches,
        recorder: Recorder,
        *,
        is_leader: Callable[[], bool] = lambda: True,
        now: Callable[[], float],
    ) -> None:
        self._api = api
        self._caches = caches
        self._recorder = recorder
        self._is_leader = is_leader
        self._now = now
        self._creator = Creator(api, caches)
        self._slow_start = SlowStart()

    async def apply(self, kind: Kind, body: Body, decision: Decision) -> Outcome:
        """Carry out the decision about `body`, the object as it was observed.

        Raises StaleError when something has changed since the observation, NotLeader, or ApiError when the result of a
        write is unknown or the server fails. The caches show every write that was made until then.
        """
        refusals = await self._perform(decision.first) or await self._perform(decision.actions)
        if refusals:
            return Outcome(body, refusals, done=False)
        if decision.status is not None and decision.status != body.get("status"):
            body = await self._write_status(kind, body, decision.status)
        refusals = await self._perform(decision.cleanup)
        for note in decision.notes:
            self._recorder.note(kind, body, note)
        return Outcome(body, refusals)

    async def _perform(self, actions: tuple[Action, ...]) -> dict[Child, Refusal]:
        if not actions:
            return {}
        errors = await self._slow_start.run(actions, self._act)
        refusals: dict[Child, Refusal] = {}
        failure: Exception | None = None
        for action, error in errors:
            refused = is_not_created if isinstance(action, Create) else is_refusal
            if isinstance(error, ApiError) and refused(error):
                leaving = isinstance(error, NameTaken) and error.leaving
                refusals[action.kind, name_of(action)] = Refusal(
                    error.code, error.message, self._now(), leaving=leaving
                )
            elif failure is None or isinstance(failure, StaleError):
                failure = error
        if failure is not None:
            raise failure
        return refusals

    async def _act(self, action: Action) -> None:
        self._check_leader()
        verb = type(action).__name__.lower()
        try:
            match action:
                case Create():
                    await self._creator.create(action)
                case Delete():
                    await self._delete(action)
                case Patch():
                    await self._patch(action)
                case _:
                    assert_never(action)
        except ApiError as error:
            metrics.WRITES.labels(verb, action.kind.kind, "refused" if is_refusal(error) else "failed").inc()
            raise
        metrics.WRITES.labels(verb, action.kind.kind, "done").inc()

    async def _delete(self, action: Delete) -> None:
        kind, namespace, name, uid = action.kind, action.namespace, action.name, action.uid
        try:
            answer = await self._api.delete(kind, namespace, name, uid=uid, propagation=action.propagation)
        except NotFound:
            self._caches.assume_deleted(kind, namespace, name, uid)
            return
        except Conflict as error:
            if not await self._is_deleted(action):
                raise StaleError(f"{kind.kind} {name}: {error.message}") from error
            return
        except Unavailable as error:
            if not error.may_have_happened or not await self._is_deleted(action):
                raise
            return
        if answer.get("kind") == kind.kind:
            self._caches.assume(kind, answer)  # a finalizer or a grace period still holds it
        else:
            self._caches.assume_deleted(kind, namespace, name, uid)

    async def _is_deleted(self, action: Delete) -> bool:
        """Ask the API server whether the object is gone, is being deleted, or was replaced by another one of that name."""
        try:
            body = await self._api.get(action.kind, action.namespace, action.name)
        except NotFound:
            self._caches.assume_deleted(action.kind, action.namespace, action.name, action.uid)
            return True
        self._caches.assume(action.kind, body)
        metadata = body["metadata"]
        return bool(action.uid and metadata["uid"] != action.uid) or "deletionTimestamp" in metadata

    async def _patch(self, action: Patch) -> None:
        change = with_uid_precondition(action)
        try:
            answer = await self._api.patch(
                action.kind, action.namespace, action.name, change, subresource=action.subresource
            )
        except (NotFound, Conflict, Gone) as error:
            raise StaleError(f"{action.kind.kind} {action.name}: {error.message}") from error
        except Invalid as error:
            if precondition_failed(change, error):
                raise StaleError(f"{action.kind.kind} {action.name}: {error.message}") from error
            raise
        if answer.get("kind") == action.kind.kind:
            self._caches.assume(action.kind, answer)

    async def _write_status(self, kind: Kind, body: Body, status: Body) -> Body:
        self._check_leader()
        wanted = {**body, "status": status}
        subresource = "" if kind in WITHOUT_STATUS_SUBRESOURCE else "status"
        try:
            stored = await self._api.replace(kind, wanted, subresource=subresource)
        except (NotFound, Conflict) as error:
            raise StaleError(f"{kind.kind} {body['metadata']['name']}: {error.message}") from error
        except Unavailable as error:
            if not error.may_have_happened:
                raise
            stored = await self._stored_status(kind, wanted, error)
        metrics.WRITES.labels("status", kind.kind, "done").inc()
        STORED.set(True)
        self._caches.assume(kind, stored)
        return stored

    async def _stored_status(self, kind: Kind, wanted: Body, error: Unavailable) -> Body:
        """After a lost answer: the stored object if it has the status that was sent. Else raises `error`."""
        metadata = wanted["metadata"]
        try:
            stored = await self._api.get(kind, metadata.get("namespace", ""), metadata["name"])
        except NotFound:
            raise StaleError(f"{kind.kind} {metadata['name']} is gone") from error
        if stored["metadata"]["uid"] != metadata["uid"] or stored.get("status") != wanted["status"]:
            raise error
        return stored

    def _check_leader(self) -> None:
        if not self._is_leader():
            raise NotLeader("the lease is not held")


def precondition_failed(change: Body | list[Body], error: Invalid) -> bool:
    """Whether a patch was refused because the object was replaced or changed. kube-apiserver answers 422 to a merge patch
    with another uid, and to a JSON patch whose `test` or path does not match; the second answer has no causes."""
    if isinstance(change, list):
        return not error.causes
    return any(cause.get("field") == "metadata.uid" for cause in error.causes)


def with_uid_precondition(action: Patch) -> Body | list[Body]:
    """The patch with the uid as a precondition."""
    if not action.uid:
        return action.patch
    if isinstance(action.patch, list):
        return [{"op": "test", "path": "/metadata/uid", "value": action.uid}, *action.patch]
    return {**action.patch, "metadata": {**action.patch.get("metadata", {}), "uid": action.uid}}
