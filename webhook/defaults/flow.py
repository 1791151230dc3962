"""Defaults of a JobFlow. There are few: the controller treats other absent fields as their default."""

from collections.abc import Iterator

from shared.model.phases import FailureStrategy, RetainPolicy
from webhook.envelope.patch import Setting
from webhook.subject.subjects import FlowSubject


def flow_defaults(flow: FlowSubject) -> Iterator[Setting]:
    if flow.spec.job_retain_policy is None:
        yield Setting(("spec", "jobRetainPolicy"), RetainPolicy.RETAIN.value)
    if flow.spec.failure_strategy is None:
        yield Setting(("spec", "failureStrategy"), FailureStrategy.STOP.value)
