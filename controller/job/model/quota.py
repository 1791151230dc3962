"""Pods that a ResourceQuota refuses. A gang with some of its pods created would hold quota that another gang waits for,
and two such gangs could wait for each other forever. Therefore a gang gets all pods of its minimum or none, and among
the Jobs of a namespace that wait for quota the oldest is tried first.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from controller.decision import Refusal
from controller.job.model.observed import JobObservation
from controller.job.model.pods_by_role import STOPPED
from shared.kinds import POD
from shared.quantity import Quantity, QuantityError, quantity

FORBIDDEN: Final = 403
TRY_SECONDS: Final = 3.0  # of the Job whose turn it is: usage that ends shows within that time
_EXCEEDED: Final = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (?P<requested>.*?), used: .*?, limited: (?P<limited>\S+)"
)


class ExceededQuota(msgspec.Struct, frozen=True):
    """`name`: of the ResourceQuota; `limited`: what it allows of the resources that were exceeded."""

    name: str
    limited: Mapping[str, Quantity]

    def never_allows(self, needs: Mapping[str, str]) -> str:
        """The resource of which even an unused quota has less than `needs`; "" when there is none."""
        over = (name for name, limit in self.limited.items() if name in needs and limit < quantity(needs[name]))
        return next(over, "")


def exceeded_quota(refusal: Refusal) -> ExceededQuota | None:
    """The quota that the refusal names; None for a refusal with another cause."""
    found = _EXCEEDED.search(refusal.message) if refusal.code == FORBIDDEN else None
    return ExceededQuota(found["name"], _amounts(found["limited"])) if found else None


def exceeded_quotas(observed: JobObservation) -> tuple[tuple[ExceededQuota, Refusal], ...]:
    """The quotas that refused pods of the Job, the latest refusal first."""
    pods = [refusal for (kind, _), refusal in observed.refusals.items() if kind is POD]
    found = ((exceeded_quota(refusal), refusal) for refusal in sorted(pods, key=lambda each: -each.at))
    return tuple((exceeded, refusal) for exceeded, refusal in found if exceeded is not None)


def has_started(observed: JobObservation) -> bool:
    """Whether a pod of the Job runs or may run at any time."""
    return any(pod.alive and not pod.gated for pod in observed.pods)


def lacks_for_ever(observed: JobObservation, exceeded: ExceededQuota) -> str:
    """The resource of which the quota allows less than the Job's gang needs; "" when the gang can wait for it."""
    needs = observed.group.spec.min_resources if observed.group is not None else None
    return exceeded.never_allows({name: str(amount) for name, amount in (needs or {}).items()})


def is_as_refused(observed: JobObservation, exceeded: ExceededQuota) -> bool:
    """Whether the quota allows no more than when it refused the pod, of what it lacked then."""
    allowed = _read((observed.allowed.get(exceeded.name) or {}).items())
    return bool(exceeded.limited) and all(allowed.get(name) == limit for name, limit in exceeded.limited.items())


def waits_for_quota(observed: JobObservation) -> tuple[ExceededQuota, Refusal] | None:
    """The quota that the Job waits for before any of its pods can start."""
    if observed.job.status.state.phase in STOPPED or observed.job.metadata.deletion_timestamp or has_started(observed):
        return None
    latest = next(iter(exceeded_quotas(observed)), None)
    return None if latest is None or lacks_for_ever(observed, latest[0]) else latest


def _amounts(text: str) -> dict[str, Quantity]:
    """`pods=1,requests.cpu=2` as the quota admission writes it."""
    parts = (part.partition("=") for part in text.split(","))
    return _read((name, value) for name, _, value in parts)


def _read(amounts: Iterable[tuple[str, str]]) -> dict[str, Quantity]:
    """The amounts that are quantities."""
    found = {}
    for name, value in amounts:
        try:
            found[name] = quantity(value)
        except QuantityError:
            continue
    return found
