"""What must happen to the certificates next: a pure function of what is stored, what is injected, and the time.

A CA is replaced in three steps so that no request ever fails: the new CA joins the bundle; once every webhook
configuration trusts it (and the API server had time to notice) the serving certificate is issued by it; once every
replica had time to serve that, the old CA leaves the bundle.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from certs.issue import RENEW_DAYS, issue_serving, new_authority
from certs.material import Material

SETTLE: Final = timedelta(seconds=60)  # for API servers and replicas to notice a change
CHECK_EVERY: Final = timedelta(hours=12)
_AHEAD: Final = timedelta(days=RENEW_DAYS)


class RotationStep(StrEnum):
    """What is due; at most one at a time."""

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
    """`trusted`: every webhook configuration holds the stored bundle; `rotate`: replace a CA that is still good."""
    if material is None or material.signer is None:
        return RotationStep.ISSUE_ALL
    if not material.can_sign:
        return RotationStep.ADD_AUTHORITY  # what is served stays good meanwhile
    if not material.can_serve:
        return RotationStep.REISSUE
    settled = trusted and now - material.changed_at >= settle
    newest_signs = material.signer == material.authorities[0]
    if newest_signs and (rotate or material.authorities[0].not_valid_after_utc - now < _AHEAD):
        return RotationStep.ADD_AUTHORITY
    if not newest_signs:
        return (
            RotationStep.REISSUE if settled or material.certificate.not_valid_after_utc <= now else RotationStep.NOTHING
        )
    if material.certificate.not_valid_after_utc - now < _AHEAD or not set(names) <= set(material.names):
        return RotationStep.REISSUE
    return RotationStep.PRUNE if settled and len(material.authorities) > 1 else RotationStep.NOTHING


def apply_step(step: RotationStep, material: Material | None, names: tuple[str, ...], now: datetime) -> Material:
    """The material after `step`. Raises ValueError for a step that `due` never gives in that state."""
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


def next_look(material: Material, trusted: bool, now: datetime, settle: timedelta = SETTLE) -> timedelta:
    """How long nothing can be due: short while a change settles, else the usual interval."""
    unsettled = not trusted or len(material.authorities) > 1 or now - material.changed_at < settle
    return min(settle, CHECK_EVERY) if unsettled else CHECK_EVERY
