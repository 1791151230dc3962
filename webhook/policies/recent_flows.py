"""JobFlows admitted within the last seconds, so that a policy's limit counts a burst of applies before the cache sees it."""

from collections.abc import Callable
from typing import Final

from shared.kinds import JOBFLOW
from shared.model.types import Body
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, Operation
from webhook.policies.judging import has_quotas
from webhook.subject.lookups import InMemoryLookups, Lookups
from webhook.subject.subjects import body_or_empty

SECONDS: Final = 3.0
"""How long an admitted flow is remembered: longer than a watch takes to deliver it. A flow that another webhook refused
later is counted until then, unless a live list shows that it does not exist."""
IN_FLIGHT_SECONDS: Final = 1.0
"""How long an admitted flow may take until it is stored.

If a live list does not contain a flow that was admitted earlier, the flow was deleted or not stored.
"""

_KEPT: Final = ("labels", "ownerReferences")  # what quotas read


class RecentFlows:
    """Recently admitted flows of this replica, in memory. Other replicas do not know them. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._flows: dict[tuple[str, str], tuple[float, Body]] = {}

    def note(self, review: AdmissionReview, verdict: AdmissionVerdict, lookups: Lookups) -> None:
        """Remembers a flow that was allowed and will be stored, if a policy limits the number of active flows.

        Forgets a flow that will be deleted.
        """
        if (
            (review.kind.group, review.kind.kind) != (JOBFLOW.group, JOBFLOW.kind)
            or not verdict.allowed
            or review.dry_run
        ):
            return
        if review.operation is Operation.DELETE:
            self._flows.pop((review.namespace, review.name), None)
        if review.operation is not Operation.CREATE or review.object is None:
            return
        name = body_or_empty(review.object.get("metadata")).get("name")
        if isinstance(name, str) and name and has_quotas(lookups):
            suspended = {"suspend": body_or_empty(review.object.get("spec")).get("suspend")}
            kept = {key: value for key, value in review.object["metadata"].items() if key in _KEPT}
            body = {"metadata": {**kept, "name": name, "namespace": review.namespace}, "spec": suspended}
            self._flows[review.namespace, name] = (self._clock(), body)

    def over(self, lookups: Lookups, namespace: str, *, seconds: float = SECONDS) -> Lookups:
        """`lookups`, with the flows that they do not contain yet, admitted within the last `seconds` in the namespace.

        `namespace`: '' for all.
        """
        if not self._flows:
            return lookups
        now = self._clock()
        self._flows = {key: (at, body) for key, (at, body) in self._flows.items() if at + SECONDS > now}
        unseen = [
            (JOBFLOW, body)
            for (where, name), (at, body) in self._flows.items()
            if namespace in ("", where) and at + seconds > now and lookups.get(JOBFLOW, where, name) is None
        ]
        return InMemoryLookups(unseen, below=lookups) if unseen else lookups
