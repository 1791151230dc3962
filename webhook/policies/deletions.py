"""Deletions that policies may refuse.

Those of Kubernetes itself are never refused: a namespace whose objects cannot be deleted would hang, and so would the
garbage collector. The same holds for this project's controller and for the objects of a namespace that is being deleted.
"""

from typing import Final

from shared import kinds
from shared.kinds import Kind
from shared.policy.compiled.check_scope import DELETABLE
from shared.policy.embedded import JUDGED
from webhook.envelope.review import AdmissionReview, Operation
from webhook.subject.lookups import Lookups
from webhook.subject.subjects import body_or_empty

GUARDED: Final[tuple[Kind, ...]] = tuple(kind for kind in JUDGED if kind.kind in DELETABLE)
"""The kinds whose deletions policies judge; a webhook is registered for them."""
_ACCOUNTS: Final = "system:serviceaccount:kube-system:"
_COMPONENTS: Final = ("system:kube-controller-manager", "system:apiserver")


def may_be_refused(review: AdmissionReview, lookups: Lookups, controller: str) -> bool:
    """Whether policies judge the deletion. `controller`: the name of this project's controller, "" if it is not known."""
    if review.operation is not Operation.DELETE or review.old_object is None:
        return False
    if (review.kind.group, review.kind.kind) not in {(kind.group, kind.kind) for kind in GUARDED}:
        return False
    user = review.user_info.username
    if user.startswith(_ACCOUNTS) or user in _COMPONENTS or user == (controller or None):
        return False
    if body_or_empty(review.old_object.get("metadata")).get("deletionTimestamp"):
        return False
    namespace = lookups.get(kinds.NAMESPACE, "", review.namespace) or {}
    phase = body_or_empty(namespace.get("status")).get("phase")
    return phase != "Terminating" and not body_or_empty(namespace.get("metadata")).get("deletionTimestamp")
