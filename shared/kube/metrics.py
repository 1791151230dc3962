"""Metrics of the API client, with client-go's names."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REQUESTS: Final = Counter(
    "rest_client_requests_total",
    "Requests to the API server by verb, resource and status.",
    ["method", "resource", "code"],
)
DURATION: Final = Histogram(
    "rest_client_request_duration_seconds",
    "Time from sending a request to the whole answer, retries apart.",
    ["verb"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
RETRIES: Final = Counter("rest_client_request_retries_total", "Requests sent again.", ["verb"])
LIMITED: Final = Counter("rest_client_rate_limiter_seconds_total", "Seconds waited for the client's own rate limit.")
LISTS: Final = Counter("reflector_lists_total", "Full lists made by a cache.", ["resource"])
WATCHES: Final = Counter("reflector_watches_total", "Watches opened by a cache.", ["resource"])
EVENTS: Final = Counter("reflector_watch_events_total", "Watch events delivered to a cache.", ["resource", "type"])
OBJECTS: Final = Gauge("cache_objects", "Objects held by a cache.", ["resource"])
