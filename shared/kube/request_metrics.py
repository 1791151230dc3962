"""Counts the requests to the API server. Processes that serve metrics give one to their `Api`."""

from functools import lru_cache
from typing import Final

from prometheus_client import Counter

from shared.kinds import Kind
from shared.kube import metrics
from shared.kube.client.requests import Request
from shared.kube.client.sender import RequestObserver


class RequestMetrics(RequestObserver):
    """Counts in the metrics of the process, so several clients may share one."""

    def limited(self, seconds: float) -> None:
        metrics.LIMITED.inc(seconds)

    def answered(self, request: Request, kind: Kind | None, result: int | str, seconds: float | None) -> None:
        if seconds is not None:
            _timer(request.verb).observe(seconds)
        _counter(request.method, kind.plural if kind else "", result).inc()

    def repeated(self, request: Request) -> None:
        metrics.RETRIES.labels(request.verb).inc()


_timer: Final = lru_cache(maxsize=64)(metrics.DURATION.labels)


@lru_cache(maxsize=1024)
def _counter(method: str, resource: str, result: int | str) -> Counter:
    return metrics.REQUESTS.labels(method, resource, str(result))
