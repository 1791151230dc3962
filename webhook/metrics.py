"""Prometheus metrics of the webhook."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REVIEWS: Final = Counter(
    "jobflow_admission_reviews_total",
    "Reviews by kind, operation, verb (mutate, validate) and verdict (allowed, patched, refused, bad, failed).",
    ["kind", "operation", "verb", "verdict"],
)
VIOLATIONS: Final = Counter(
    "jobflow_admission_violations_total", "Violations found, by kind and rule.", ["kind", "rule"]
)
POLICY_VIOLATIONS: Final = Counter(
    "jobflow_policy_violations_total",
    "Violations of JobFlowPolicies found at admission, by policy, mode, kind and rule.",
    ["policy", "mode", "kind", "rule"],
)
POLICY_EXCEPTED: Final = Counter(
    "jobflow_policy_excepted_total",
    "Violations of JobFlowPolicies that a JobFlowPolicyException allowed, by policy, mode, kind and rule.",
    ["policy", "mode", "kind", "rule"],
)
WARNINGS: Final = Counter("jobflow_admission_warnings_total", "Warnings given, by kind.", ["kind"])
DURATION: Final = Histogram(
    "jobflow_admission_duration_seconds",
    "Time from the received request to the response, by path.",
    ["path"],
    buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)
LOOKUPS: Final = Counter(
    "jobflow_admission_live_lookups_total", "Live GETs of objects missing from the cache, by outcome.", ["outcome"]
)
READY: Final = Gauge("jobflow_webhook_ready", "1 while /readyz answers 200, else 0.")
CONNECTIONS: Final = Gauge("jobflow_webhook_connections", "Open connections.")
CERTIFICATE_READS: Final = Counter(
    "jobflow_webhook_certificate_reads_total", "Attempts to load a serving certificate, by outcome.", ["outcome"]
)
CERTIFICATE_EXPIRY: Final = Gauge(
    "jobflow_webhook_certificate_expiry_timestamp_seconds", "When the serving certificate expires."
)
