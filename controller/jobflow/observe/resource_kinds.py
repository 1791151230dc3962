"""The kinds that steps with `resource` may create: by the operator's setting, and by the rights of who asked for a flow."""

from controller.context import ControllerContext
from controller.jobflow.model.observed import GrantedKinds
from controller.jobflow.observe.enforced_policy import EnforcedPolicy
from shared.kinds import NAMESPACE, Kind
from shared.model.meta import ObjectMeta
from shared.names import REQUESTED_AT
from shared.resource_steps.rights import NO_CLAIM, read_claim
from shared.timestamp import epoch_or_none


class ResourceKinds:
    """`settings.resource_kinds` applied to the labels of namespaces, which are watched only if some kind has a selector.

    `settings.rights_policy` names the policy that compares claims; "" where nobody else has access: all kinds are granted.
    """

    def __init__(self, context: ControllerContext) -> None:
        allowed = context.settings.resource_kinds
        self._allowed = tuple((one, one.as_kind) for one in allowed)
        self.kinds = tuple(kind for _, kind in self._allowed)
        selecting = any(one.namespace_selector for one in allowed)
        self._namespaces = context.caches.want(NAMESPACE) if selecting else None
        self._policy = EnforcedPolicy(context, context.settings.rights_policy)

    def allowed(self, namespace: str) -> tuple[Kind, ...]:
        """The kinds that the operator allows in the namespace. One that is not known has no labels."""
        if not self._allowed:
            return ()
        body = self._namespaces.get("", namespace) if self._namespaces is not None else None
        labels = (body or {}).get("metadata", {}).get("labels") or {}
        return tuple(kind for one, kind in self._allowed if one.in_namespace(labels))

    def granted(self, metadata: ObjectMeta) -> GrantedKinds:
        """The claim of a flow, as far as the API server has compared it with the rights of who sent it."""
        since, missing = self._policy.in_force()
        claim = read_claim(metadata.annotations)
        texts = [metadata.creation_timestamp, metadata.annotations.get(REQUESTED_AT)]
        asked = min((epoch_or_none(text) or 0.0 for text in texts if text), default=0.0)
        return GrantedKinds(bool(self._policy.name), since, missing, claim if asked >= since else NO_CLAIM)
