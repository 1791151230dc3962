"""Whether approvals count: the API server must compare who sends them, and policies allow some."""

from typing import Final

from controller.context import ControllerContext
from controller.jobflow.model.observed import ApprovalRules
from controller.jobflow.observe.enforced_policy import EnforcedPolicy
from shared.kinds import JOBFLOW, JOBFLOWPOLICY, NAMESPACE
from shared.model.types import Body
from shared.policy import Compiler, PolicyContext, relevant

_UNCHECKED: Final = ApprovalRules(since=0.0, missing="")


class ApprovalObserver:
    """`settings.approval_policy` names the ValidatingAdmissionPolicy and its binding; "" where nobody else has access."""

    def __init__(self, context: ControllerContext) -> None:
        caches = context.caches
        self._policy = EnforcedPolicy(context, context.settings.approval_policy)
        self.caches = self._policy.caches
        self._policies = caches.want(JOBFLOWPOLICY, optional=True)
        self._namespaces = caches.want(NAMESPACE)
        self._compiler = Compiler()
        self._clock = context.clock

    def rules(self, flow: Body | None) -> ApprovalRules:
        """The rules for the approvals of a flow; None for one that has no step with `approve`."""
        if flow is None:
            return _UNCHECKED
        since, missing = self._policy.in_force()
        own_flows, on_timeout = self._leave(flow)
        return ApprovalRules(since, missing, own_flows, on_timeout)

    def _leave(self, flow: Body) -> tuple[bool, bool]:
        namespace = flow["metadata"].get("namespace", "")
        context = PolicyContext(
            kind=JOBFLOW,
            body=flow,
            namespace=namespace,
            namespace_body=self._namespaces.get("", namespace),
            now=self._clock(),
        )
        compiled = self._compiler.compile(self._policies.list()).compiled
        found = [policy.spec.approvals for policy in relevant(context, compiled)]
        return any(one and one.own_flows for one in found), any(one and one.on_timeout for one in found)
