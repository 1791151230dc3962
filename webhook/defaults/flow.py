"""Defaults of a JobFlow. There are few: the controller treats other absent fields as their default."""

from collections.abc import Iterator

from shared.model.phases import FailureStrategy, RetainPolicy
from shared.names import CREATOR
from webhook.envelope.patch import Setting
from webhook.subject.subjects import FlowSubject


def flow_defaults(flow: FlowSubject) -> Iterator[Setting]:
    if flow.spec.job_retain_policy is None:
        yield Setting(("spec", "jobRetainPolicy"), RetainPolicy.RETAIN.value)
    if flow.spec.failure_strategy is None:
        yield Setting(("spec", "failureStrategy"), FailureStrategy.STOP.value)
    # The controller, which creates sub-flows, gives them the creator of the flow above; itself it is never one.
    if flow.username and not flow.of_a_flow and CREATOR not in flow.annotations and _asks(flow):
        yield Setting(("metadata", "annotations", CREATOR), flow.username)


def _asks(flow: FlowSubject) -> bool:
    """Whether somebody will be asked for approval, in the flow or in one that it runs."""
    return bool([step for step in flow.bare_steps if step.approve is not None or step.flow is not None])
