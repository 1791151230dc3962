"""The next step of issuing, renewing or rotating certificates: a pure function of the stored certificates, whether their
CA is injected, and the time.

A CA is replaced in three steps, so that no request fails: the new CA is added to the bundle; once every webhook
configuration contains it and the API servers had time to see it, the new CA issues the serving certificate; once every
replica had time to load that, the old CA is removed from the bundle. It does not wait where clients refuse the present
certificate anyway: it or its CA has ended, or is not valid yet because the clock that issued it was wrong.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509

from certs.issue import RENEW_DAYS, issue_serving, new_authority
from certs.material import Material, add_authorities, is_valid

SETTLE: Final = timedelta(seconds=60)  # until all API servers and replicas have seen a change
CHECK_EVERY: Final = timedelta(hours=12)
_AHEAD: Final = timedelta(days=RENEW_DAYS)


class RotationStep(StrEnum):
    """A step of issuing or rotating certificates. Only one step is due at a time."""

    NOTHING = "Nothing"
    ISSUE_ALL = "IssueAll"
    ADD_AUTHORITY = "AddAuthority"
    REISSUE = "Reissue"
    PRUNE = "Prune"


def next_step(
    material: Material | None,
    names: tuple[str, ...],
    trusted: bool,
    now: datetime,
    rotate: bool = False,
    settle: timedelta = SETTLE,
) -> RotationStep:
    """The step that is due. `trusted`: all configurations contain the stored bundle; `rotate`: replace a valid CA."""
    if material is None or material.signer is None:
        return RotationStep.ISSUE_ALL
    if not material.can_sign:
        return RotationStep.ADD_AUTHORITY  # the serving certificate stays valid meanwhile
    if not material.can_serve:
        return RotationStep.REISSUE
    settled = trusted and now - material.changed_at >= settle
    newest = material.authorities[0]
    newest_signs = material.signer == newest
    if not newest.not_valid_before_utc <= now or (newest_signs and (rotate or _ends_soon(newest, now))):
        return RotationStep.ADD_AUTHORITY
    if not newest_signs:
        refused = not (is_valid(material.certificate, now) and is_valid(material.signer, now))
        return RotationStep.REISSUE if settled or refused else RotationStep.NOTHING
    early = now < material.certificate.not_valid_before_utc
    if early or _ends_soon(material.certificate, now) or not set(names) <= set(material.names):
        return RotationStep.REISSUE
    return RotationStep.PRUNE if settled and len(material.authorities) > 1 else RotationStep.NOTHING


def _ends_soon(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_after_utc - now < _AHEAD


def apply_step(step: RotationStep, material: Material | None, names: tuple[str, ...], now: datetime) -> Material:
    """The material after `step`. Raises ValueError for a step that `next_step` never gives in that state."""
    if step is RotationStep.ISSUE_ALL:
        authority = new_authority("jobflow-webhook-ca", now)
        return Material(authority.certificate, authority.key, issue_serving(authority, names, now), now)
    if material is None:
        raise ValueError(f"{step} needs stored certificates")
    if step is RotationStep.ADD_AUTHORITY:
        authority = new_authority("jobflow-webhook-ca", now)
        return Material(authority.certificate + material.bundle, authority.key, material.serving, now)
    if step is RotationStep.REISSUE:
        return Material(material.bundle, material.authority_key, issue_serving(material.newest, names, now), now)
    if step is RotationStep.PRUNE:
        return Material(material.newest.certificate, material.authority_key, material.serving, now)
    return material


def with_authorities(material: Material, bundles: Iterable[bytes], now: datetime) -> Material:
    """`material` that also trusts the CAs of `bundles` (PEM). They are removed once the rotation is complete."""
    return Material(add_authorities(material.bundle, bundles), material.authority_key, material.serving, now)


def next_look(material: Material, trusted: bool, now: datetime, settle: timedelta = SETTLE) -> timedelta:
    """The time until a step may be due: short during a rotation, else CHECK_EVERY."""
    unsettled = not trusted or len(material.authorities) > 1 or now - material.changed_at < settle
    return min(settle, CHECK_EVERY) if unsettled else CHECK_EVERY
