"""Whether approvals count: the API server must compare who sends them, and policies give leave for some."""

import math
from typing import Final

from controller.context import ControllerContext
from controller.jobflow.model.observed import ApprovalRules
from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING, JOBFLOW, JOBFLOWPOLICY, NAMESPACE
from shared.kube.cache.cache import Cache
from shared.model.step import raw_steps
from shared.model.types import Body
from shared.policy import Compiler, PolicyContext, relevant
from shared.timestamp import epoch_or_none

_SECONDS: Final = 10.0  # until every API server has noticed a new admission policy
_UNCHECKED: Final = ApprovalRules(since=0.0, missing="")


class ApprovalObserver:
    """`settings.approval_policy` names the ValidatingAdmissionPolicy and its binding; "" where nobody else has access."""

    def __init__(self, context: ControllerContext) -> None:
        self._name = context.settings.approval_policy
        caches, selector = context.caches, f"metadata.name={self._name}"
        self.caches: tuple[Cache, ...] = (
            tuple(
                caches.want(kind, field_selector=selector, optional=True)
                for kind in (ADMISSION_POLICY, ADMISSION_POLICY_BINDING)
            )
            if self._name
            else ()
        )
        self._policies = caches.want(JOBFLOWPOLICY, optional=True)
        self._namespaces = caches.want(NAMESPACE)
        self._compiler = Compiler()

    def rules(self, flow: Body | None) -> ApprovalRules:
        """The rules for the approvals of a flow. Only those of flows that have steps with `approve` are computed."""
        if flow is None or not _asks(flow):
            return _UNCHECKED
        since, missing = self._in_force()
        own_flows, on_timeout = self._leave(flow)
        return ApprovalRules(since, missing, own_flows, on_timeout)

    def _in_force(self) -> tuple[float, str]:
        if not self._name:
            return 0.0, ""
        bodies = [cache.get("", self._name) for cache in self.caches]
        for body, kind in zip(bodies, (ADMISSION_POLICY, ADMISSION_POLICY_BINDING), strict=True):
            if body is None or not _enforces(body):
                return math.inf, f"the {kind.kind} {self._name} is missing or does not refuse"
        moments = (epoch_or_none(body["metadata"].get("creationTimestamp")) for body in bodies if body is not None)
        return max(moment or math.inf for moment in moments) + _SECONDS, ""

    def _leave(self, flow: Body) -> tuple[bool, bool]:
        namespace = flow["metadata"].get("namespace", "")
        context = PolicyContext(
            kind=JOBFLOW, body=flow, namespace=namespace, namespace_body=self._namespaces.get("", namespace)
        )
        compiled = self._compiler.compile(self._policies.list()).compiled
        found = [policy.spec.approvals for policy in relevant(context, compiled)]
        return any(one and one.own_flows for one in found), any(one and one.on_timeout for one in found)


def _asks(flow: Body) -> bool:
    return any(step.get("approve") is not None for step in raw_steps(flow))


def _enforces(body: Body) -> bool:
    """Whether a policy refuses on errors, or a binding denies, everywhere."""
    spec = body.get("spec") or {}
    if body["metadata"].get("deletionTimestamp"):
        return False
    if "policyName" not in spec:
        return bool(spec.get("failurePolicy", "Fail") == "Fail")
    return (
        spec["policyName"] == body["metadata"]["name"]
        and "Deny" in (spec.get("validationActions") or ())
        and not spec.get("matchResources")
    )
