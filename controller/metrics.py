"""Metrics of the controller, named as in client-go and controller-runtime."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

DEPTH: Final = Gauge("workqueue_depth", "Keys waiting for a worker.", ["name"])
ADDS: Final = Counter("workqueue_adds_total", "Keys added that were not queued yet.", ["name"])
QUEUE_DURATION: Final = Histogram(
    "workqueue_queue_duration_seconds", "Time that a key was queued.", ["name"], buckets=SECONDS
)
WORK_DURATION: Final = Histogram(
    "workqueue_work_duration_seconds", "Time of processing a key.", ["name"], buckets=SECONDS
)
UNFINISHED: Final = Gauge("workqueue_unfinished_work_seconds", "Sum of the ages of the keys being processed.", ["name"])
LONGEST: Final = Gauge(
    "workqueue_longest_running_processor_seconds", "Age of the key that has been processed longest.", ["name"]
)
QUEUE_RETRIES: Final = Counter("workqueue_retries_total", "Keys added again after a failure.", ["name"])

RECONCILES: Final = Counter("controller_runtime_reconcile_total", "Passes by result.", ["controller", "result"])
ERRORS: Final = Counter("controller_runtime_reconcile_errors_total", "Passes that failed.", ["controller"])
PANICS: Final = Counter(
    "controller_runtime_reconcile_panics_total", "Passes that failed because of a bug.", ["controller"]
)
TIMEOUTS: Final = Counter("controller_runtime_reconcile_timeouts_total", "Passes that took too long.", ["controller"])
PASS_TIME: Final = Histogram(
    "controller_runtime_reconcile_time_seconds", "Duration of a pass.", ["controller"], buckets=SECONDS
)
ACTIVE: Final = Gauge("controller_runtime_active_workers", "Keys being processed.", ["controller"])
MAX_ACTIVE: Final = Gauge(
    "controller_runtime_max_concurrent_reconciles", "Maximum of keys processed at a time.", ["controller"]
)

LEADER: Final = Gauge("leader_election_master_status", "1 while this process holds the lease.", ["name"])
EVENTS: Final = Counter("jobflow_events_total", "Events by outcome.", ["outcome"])
EVENTS_WAITING: Final = Gauge("jobflow_events_waiting", "Events that are not sent yet.")
EVENT_DELAY: Final = Histogram(
    "jobflow_event_delay_seconds", "Time from recording an Event until it is stored.", ["importance"], buckets=SECONDS
)
WRITES: Final = Counter(
    "jobflow_writes_total", "Writes to the API server by verb, kind and outcome.", ["verb", "kind", "outcome"]
)
