"""Keeps the certificates of one Secret valid and their CA in the webhook configurations.

Any number of replicas may run it: writes carry the resourceVersion, and a conflict makes the replica read again.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import IntEnum

import msgspec

from certs import injection, plan
from certs.material import CHANGED_AT, Material, from_secret, to_secret
from shared.kinds import MUTATING, SECRET, VALIDATING, Kind
from shared.kube.client.api import Api
from shared.kube.client.errors import AlreadyExists, Conflict, Invalid, NotFound
from shared.model.types import Body

log = logging.getLogger(__name__)
_TRIES = 8  # conflicts in a row before an error is raised


class CertificateLocation(msgspec.Struct, frozen=True):
    """Where certificates are stored and where their CA is injected.

    `secret`: the Secret; `names`: DNS names of the serving certificate; `configurations`: names of webhook configurations,
    of each name both the mutating and the validating one.
    """

    namespace: str
    secret: str
    names: tuple[str, ...]
    configurations: tuple[str, ...] = ()
    settle: timedelta = plan.SETTLE


class KeeperResult(msgspec.Struct, frozen=True):
    """The result of one look. `trusted`: every configuration contains the bundle."""

    material: Material
    trusted: bool
    next_look: timedelta


class BundleState(IntEnum):
    """Whether the configurations contain the bundle. API servers may not have seen a bundle that was just injected."""

    MISSING = 0
    JUST_GIVEN = 1
    HELD = 2


class CertificateKeeper:
    """Issues, renews and rotates the certificates of one Secret. `clock` returns an aware datetime."""

    def __init__(self, api: Api, place: CertificateLocation, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._place = place
        self._clock = clock

    async def look(self, rotate: bool = False) -> KeeperResult:
        """Perform the step that is due, if any, and return when to look again.

        Raises ApiError if the API server cannot be used, Conflict if other replicas keep changing the Secret.
        """
        for _ in range(_TRIES):
            secret = await self._secret()
            stored = from_secret(secret) if secret else None
            trust = await self._inject(stored.bundle) if stored else BundleState.MISSING
            settled = trust is BundleState.HELD
            step = plan.next_step(stored, self._place.names, settled, self._clock(), rotate, self._place.settle)
            if step is plan.RotationStep.NOTHING and stored:
                later = plan.next_look(stored, settled, self._clock(), self._place.settle)
                return KeeperResult(stored, trust is not BundleState.MISSING, later)
            if await self._store(plan.apply_step(step, stored, self._place.names, self._clock()), secret):
                log.info("certificates changed", extra={"step": str(step), "secret": self._place.secret})
                rotate = False
        raise Conflict(f"secret {self._place.secret} keeps changing; another replica is rotating it")

    async def _secret(self) -> Body | None:
        try:
            return await self._api.get(SECRET, self._place.namespace, self._place.secret)
        except NotFound:
            return None

    async def _store(self, material: Material, secret: Body | None) -> bool:
        """Write the Secret; False if another replica wrote first."""
        body = to_secret(material, self._place.namespace, self._place.secret)
        try:
            if secret is None:
                await self._api.create(SECRET, body)
            else:
                await self._api.replace(SECRET, _over(secret, body))
        except (AlreadyExists, Conflict, NotFound):
            return False
        return True

    async def _inject(self, bundle: bytes) -> BundleState:
        """Inject the bundle into every configuration; returns the worst result."""
        outcomes = [
            await self._inject_one(kind, name, bundle)
            for name in self._place.configurations
            for kind in (MUTATING, VALIDATING)
        ]
        return min(outcomes, default=BundleState.HELD)

    async def _inject_one(self, kind: Kind, name: str, bundle: bytes) -> BundleState:
        try:
            configuration = await self._api.get(kind, "", name)
            if injection.trusts(configuration, bundle):
                return BundleState.HELD
            await self._api.patch(kind, "", name, injection.patch(configuration, bundle))
        except (NotFound, Conflict, Invalid) as error:
            log.warning("caBundle not injected", extra={"configuration": name, "kind": kind.kind, "error": str(error)})
            return BundleState.MISSING
        return BundleState.JUST_GIVEN


def _over(secret: Body, body: Body) -> Body:
    """The stored Secret with new data. Other metadata (labels of the chart, resourceVersion) stays."""
    metadata = secret["metadata"]
    annotations = {**(metadata.get("annotations") or {}), CHANGED_AT: body["metadata"]["annotations"][CHANGED_AT]}
    return {**secret, "metadata": {**metadata, "annotations": annotations}, "data": body["data"]}
