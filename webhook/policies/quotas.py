"""What quotas of policies count at admission: the kinds, and objects admitted within the last seconds, so that a burst
of applies is counted before the cache sees it."""

from collections.abc import Callable, Iterator
from typing import Final

from shared.kinds import JOB, Kind
from shared.model.types import Body
from shared.policy.quota.counted import COUNTED
from shared.policy.quota.job_standing import job_part
from shared.policy.quota.quota import QUOTA_RULES, Quota
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, Operation
from webhook.policies.judging import compiled_policies
from webhook.subject.lookups import InMemoryLookups, Lookups
from webhook.subject.subjects import body_or_empty

SECONDS: Final = 3.0
"""How long an admitted object is remembered: longer than a watch takes to deliver it. One that another webhook refused
later is counted until then, unless a live list shows that it does not exist."""
IN_FLIGHT_SECONDS: Final = 1.0
"""How long an admitted object may take until it is stored.

If a live list does not contain an object that was admitted earlier, it was deleted or not stored.
"""

_KEPT: Final = ("labels", "ownerReferences")  # what quotas read
_KINDS: Final = {(kind.group, kind.kind): kind for kind in COUNTED}


class RecentObjects:
    """Recently admitted objects of this replica, in memory. Other replicas do not know them. `clock`: monotonic
    seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._objects: dict[tuple[Kind, str, str], tuple[float, Body]] = {}

    def note(self, review: AdmissionReview, verdict: AdmissionVerdict, lookups: Lookups) -> None:
        """Remembers an object that was allowed and will be stored, if a policy limits the number of active ones.

        Forgets an object that will be deleted.
        """
        kind = counted_kind(review)
        if kind is None or not verdict.allowed or review.dry_run:
            return
        if review.operation is Operation.DELETE:
            self._objects.pop((kind, review.namespace, review.name), None)
        if review.operation is not Operation.CREATE or review.object is None:
            return
        name = body_or_empty(review.object.get("metadata")).get("name")
        if isinstance(name, str) and name and has_quotas(lookups, kind):
            kept = {key: value for key, value in review.object["metadata"].items() if key in _KEPT}
            metadata = {**kept, "name": name, "namespace": review.namespace}
            self._objects[kind, review.namespace, name] = (self._clock(), {"metadata": metadata, **_spec(kind, review)})

    def over(self, lookups: Lookups, namespace: str, *, seconds: float = SECONDS) -> Lookups:
        """`lookups`, with the objects that they do not contain yet, admitted within the last `seconds` in the
        namespace.

        `namespace`: '' for all.
        """
        if not self._objects:
            return lookups
        now = self._clock()
        self._objects = {key: (at, body) for key, (at, body) in self._objects.items() if at + SECONDS > now}
        unseen = [
            (kind, body)
            for (kind, where, name), (at, body) in self._objects.items()
            if namespace in ("", where) and at + seconds > now and lookups.get(kind, where, name) is None
        ]
        return InMemoryLookups(unseen, below=lookups) if unseen else lookups


def _spec(kind: Kind, review: AdmissionReview) -> Body:
    """What quotas read of the spec."""
    body = body_or_empty(review.object)
    if kind == JOB:
        return job_part({**body, "status": {}})
    return {"spec": {"suspend": body_or_empty(body.get("spec")).get("suspend")}}


def counted_kind(review: AdmissionReview) -> Kind | None:
    """The kind of the reviewed object if quotas may count it."""
    return _KINDS.get((review.kind.group, review.kind.kind))


def has_quotas(lookups: Lookups, kind: Kind) -> bool:
    """Whether a policy limits the number of active objects of the kind."""
    return any(quota.kind == kind for quota in _quotas(lookups))


def counted_namespace(lookups: Lookups, namespace: str) -> str:
    """The namespace whose objects quotas count with those of `namespace`: that one, or '' for all."""
    return "" if any(quota.spans_namespaces for quota in _quotas(lookups)) else namespace


def _quotas(lookups: Lookups) -> Iterator[Quota]:
    return (quota for policy in compiled_policies(lookups).compiled for quota in policy.quotas)


def exceeded_kind(review: AdmissionReview, verdict: AdmissionVerdict) -> Kind | None:
    """The kind of which a policy found too many active objects; the cache may still contain some that were deleted."""
    return counted_kind(review) if any(each.rule in QUOTA_RULES for each in verdict.policies) else None
