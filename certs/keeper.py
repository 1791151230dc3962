"""Keeps the certificates of one Secret valid and their CA in the webhook configurations.

Any number of replicas may run it: writes carry the resourceVersion, and a conflict makes the replica read again.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import IntEnum

import msgspec
from cryptography.hazmat.primitives import serialization

from certs import injection, plan
from certs.material import CHANGED_AT, Material, authorities_in, foreign_issuer, from_secret, to_secret
from shared.kinds import MUTATING, SECRET, VALIDATING, Kind
from shared.kube.client.api import Api
from shared.kube.client.errors import AlreadyExists, Conflict, Invalid, NotFound
from shared.model.types import Body

log = logging.getLogger(__name__)
_TRIES = 8  # conflicts in a row before an error is raised
Registered = dict[tuple[Kind, str], Body | None]  # webhook configurations by kind and name


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
    """Issues, renews and rotates the certificates of one Secret. `clock` returns an aware datetime.

    CAs of the webhook configurations that may be in use stay trusted until a rotation is complete, as long as they are no
    more than MAX_AUTHORITIES. A process that does not know what the webhooks serve regards every CA as in use
    (`look(rotate=True)`).
    """

    def __init__(self, api: Api, place: CertificateLocation, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._place = place
        self._clock = clock
        self._last: Material | None = None  # the certificates of the previous look

    async def look(self, rotate: bool = False) -> KeeperResult:
        """Perform the step that is due, if any, and return when to look again.

        Raises ApiError if the API server cannot be used, Conflict if other replicas keep changing the Secret or if it
        belongs to another component, which would write it again.
        """
        for _ in range(_TRIES):
            secret = await self._secret()
            if issuer := foreign_issuer(secret or {}):
                raise Conflict(
                    f"Secret {self._place.secret} is issued by {issuer}, so it is left unchanged; upgrade with "
                    "certificates.source=cert-manager, or delete the Secret and what issues it"
                )
            stored = from_secret(secret) if secret else None
            registered = await self._configurations()
            if stored is None or stored.signer is None:
                await self._replace_lost(secret, stored, registered)
                continue
            if stored.changed_at > self._clock() + self._place.settle:  # or the rotation would wait until then
                await self._store(msgspec.structs.replace(stored, changed_at=self._clock()), secret)
                continue
            used = self._used_authorities(registered, stored, every=rotate)
            kept = plan.with_authorities(stored, used, self._clock())
            if kept.bundle != stored.bundle:  # else there is nothing to keep, or no room for it
                await self._store(kept, secret)
                continue
            trust = await self._inject(registered, stored.bundle)
            settled = trust is BundleState.HELD
            step = plan.next_step(stored, self._place.names, settled, self._clock(), rotate, self._place.settle)
            if step is plan.RotationStep.NOTHING:
                self._last = stored
                later = plan.next_look(stored, settled, self._clock(), self._place.settle)
                return KeeperResult(stored, trust is not BundleState.MISSING, later)
            changed = plan.apply_step(step, stored, self._place.names, self._clock())
            if step is plan.RotationStep.PRUNE:
                # The configurations first: a CA that only they contain would be taken for one that is in use.
                await self._inject(registered, changed.bundle)
            if await self._store(changed, secret):
                log.info("certificates changed", extra={"step": str(step), "secret_name": self._place.secret})
                rotate = False
        raise Conflict(f"secret {self._place.secret} keeps changing; another replica is rotating it")

    async def _replace_lost(self, secret: Body | None, stored: Material | None, registered: Registered) -> None:
        """Store new certificates in place of a missing or damaged Secret.

        If this replica still serves a valid certificate, that one is kept and a new CA is added beside its CA, as in a
        rotation. CAs in the configurations are kept as well: other replicas may serve certificates that they issued.
        """
        now = self._clock()
        used = [bundle for each in registered.values() if each is not None for bundle in injection.bundles(each)]
        step = plan.RotationStep.ISSUE_ALL if self._last is None else plan.RotationStep.ADD_AUTHORITY
        issued = plan.apply_step(step, self._last, self._place.names, now)
        kept = plan.with_authorities(issued, [*([stored.bundle] if stored else []), *used], now)
        if await self._store(kept, secret):
            log.warning("lost certificates replaced", extra={"step": str(step), "secret_name": self._place.secret})

    def _used_authorities(self, registered: Registered, stored: Material, every: bool) -> list[bytes]:
        """CAs (PEM) of the configurations that the Secret lacks although a replica may serve a certificate of theirs.

        These are all CAs of a configuration that trusts none of the Secret's, CAs that are newer than the Secret's (it was
        restored from a backup), and the CA of the certificate that this process serves.
        """
        own = set(stored.authorities)
        newest = stored.authorities[0].not_valid_before_utc
        serving = self._last.signer if self._last else None
        used = list[bytes]()
        for bundle in sorted({each for body in registered.values() if body for each in injection.bundles(body)}):
            found = authorities_in(bundle)
            foreign = not own & set(found)
            used += [
                authority.public_bytes(serialization.Encoding.PEM)
                for authority in found
                if authority not in own
                and (every or foreign or authority == serving or authority.not_valid_before_utc > newest)
            ]
        return used

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

    async def _configurations(self) -> Registered:
        """The webhook configurations; None for one that does not exist."""
        found: Registered = {}
        for name in self._place.configurations:
            for kind in (MUTATING, VALIDATING):
                try:
                    found[kind, name] = await self._api.get(kind, "", name)
                except NotFound:
                    found[kind, name] = None
        return found

    async def _inject(self, registered: Registered, bundle: bytes) -> BundleState:
        """Inject the bundle into every configuration; returns the worst result."""
        outcomes = [await self._inject_one(kind, name, each, bundle) for (kind, name), each in registered.items()]
        return min(outcomes, default=BundleState.HELD)

    async def _inject_one(self, kind: Kind, name: str, configuration: Body | None, bundle: bytes) -> BundleState:
        try:
            if configuration is None:
                raise NotFound(f"{kind.kind} {name} does not exist")
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
