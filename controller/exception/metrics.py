"""Metrics of JobFlowPolicyExceptions."""

from typing import Final

from prometheus_client import Counter, Gauge

EXPIRED: Final = Counter(
    "jobflow_policy_exceptions_expired_total", "JobFlowPolicyExceptions that have expired.", ["namespace"]
)
EXCEPTIONS: Final = Gauge(
    "jobflow_policy_exceptions", "JobFlowPolicyExceptions by state; each replica counts them all.", ["state"]
)
