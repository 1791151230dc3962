"""Whether the API server enforces a ValidatingAdmissionPolicy of the chart, on which the controller relies."""

import math
from typing import Final

from controller.context import ControllerContext
from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.timestamp import epoch_or_none

_SECONDS: Final = 10.0  # until every API server has noticed a new admission policy


class EnforcedPolicy:
    """`name`: of the policy and its binding; "" where nobody else has access, so that nothing is enforced."""

    def __init__(self, context: ControllerContext, name: str) -> None:
        self.name = name
        kinds = (ADMISSION_POLICY, ADMISSION_POLICY_BINDING) if name else ()
        self.caches: tuple[Cache, ...] = tuple(context.caches.want(kind, optional=True) for kind in kinds)

    def in_force(self) -> tuple[float, str]:
        """Epoch seconds since which it is enforced, and what is missing. Without a name: (0.0, "")."""
        moments = [0.0]
        for cache in self.caches:
            body = cache.get("", self.name)
            if body is None or not _enforces(body):
                return math.inf, f"the {cache.kind.kind} {self.name} is missing or does not refuse"
            moments.append((epoch_or_none(body["metadata"].get("creationTimestamp")) or math.inf) + _SECONDS)
        return max(moments), ""


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
