"""Defaults of a Job (docs/design/volcano-behaviour.md, section 2.2). An explicit maxRetry of 0 is kept and means no retry."""

from collections.abc import Iterator
from typing import Any, Final

from shared import kinds
from shared.model.job import TaskSpec
from shared.names import DEFAULT_MAX_RETRY, DEFAULT_QUEUE, NAMESPACE_QUEUE
from shared.plugins.arguments import required_plugins
from webhook.defaults.minimums import minimum_defaults
from webhook.envelope.patch import Setting
from webhook.subject.lookups import Lookups
from webhook.subject.subjects import JobSubject, body_or_empty

_HOST_NETWORK_DNS: Final = "ClusterFirstWithHostNet"
# With Kubernetes' default, Always, a pod of a batch Job never completes.
RESTART_POLICY: Final = "Never"


def job_defaults(job: JobSubject, scheduler: str) -> Iterator[Setting]:
    """The defaults of a Job. `scheduler`: the default of schedulerName."""
    spec = job.spec
    if not spec.queue:
        yield Setting(("spec", "queue"), namespace_queue(job.lookups, job.namespace) or DEFAULT_QUEUE)
    if not spec.scheduler_name:
        yield Setting(("spec", "schedulerName"), scheduler)
    if spec.max_retry is None:
        yield Setting(("spec", "maxRetry"), DEFAULT_MAX_RETRY)
    for index, task in enumerate(job.tasks):
        yield from _task(index, task, DEFAULT_MAX_RETRY if spec.max_retry is None else spec.max_retry)
    yield from minimum_defaults(job)
    for name in required_plugins(spec.plugins or {}):
        if name not in (spec.plugins or {}):
            yield Setting(("spec", "plugins", name), [])


def namespace_queue(lookups: Lookups, namespace: str) -> str:
    """The queue of the namespace's annotation, or ''. Volcano sets it on the PodGroup only, not on the Job."""
    body = body_or_empty(lookups.get(kinds.NAMESPACE, "", namespace))
    queue = body_or_empty(body_or_empty(body.get("metadata")).get("annotations")).get(NAMESPACE_QUEUE)
    return queue if isinstance(queue, str) else ""


def _task(index: int, task: TaskSpec, max_retry: int) -> Iterator[Setting]:
    path = ("spec", "tasks", index)
    if not task.name:
        yield Setting((*path, "name"), f"default{index}")
    if task.max_retry is None:
        yield Setting((*path, "maxRetry"), max_retry)
    yield from _template((*path, "template", "spec"), body_or_empty(task.template.get("spec")))


def _template(path: tuple[str | int, ...], spec: dict[str, Any]) -> Iterator[Setting]:
    if not spec:
        return
    if spec.get("hostNetwork") is True and not spec.get("dnsPolicy"):
        yield Setting((*path, "dnsPolicy"), _HOST_NETWORK_DNS)
    if not spec.get("restartPolicy"):
        yield Setting((*path, "restartPolicy"), RESTART_POLICY)
