"""The chart's policies for JobFlowPolicies on a real API server, without a webhook."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from local.client.blocking import BlockingClient
from shared.kinds import JOBFLOWPOLICY
from shared.model.types import Body
from shared.policy.in_process import PARTLY, WHOLLY
from tests.e2e.real.judging_server import await_policies, enforce, judging_server, make_namespace, refusal
from tests.webhook.make import KINDS, flow, job, pod_template, step, task
from tests.webhook.policies.bypasses import BYPASSES
from tests.webhook.policies.fields import FIELDS
from tests.webhook.policies.make import policy

BY_WEBHOOK_ONLY: Final = {"a loop in place of steps"}
"""A part of a rule that the API server judges partly."""


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlockingClient]:
    with judging_server(tmp_path_factory.mktemp("plane")) as kube:
        yield kube


def test_every_listed_field_is_enforced_and_no_other(kube: BlockingClient) -> None:
    names = {field: f"field-{number}" for number, field in enumerate(FIELDS)}
    for field, name in names.items():
        make_namespace(kube, name, name)
        enforce(kube, name, policy(name, **FIELDS[field][0]))
    await_policies(kube, "after-fields")
    for field, name in names.items():
        _, bad, good, _ = FIELDS[field]
        reported = refusal(kube, name, bad)
        assert refusal(kube, name, good) == "", field
        assert (f"({field})" in reported) is (field in WHOLLY or field in PARTLY), reported


def test_ways_around_policies_are_refused(kube: BlockingClient) -> None:
    """Those around rules that the API server judges: at least 30."""
    judged = {name: each for name, each in BYPASSES.items() if each.rule in WHOLLY or each.rule in PARTLY}
    tried = {name: f"bypass-{number}" for number, name in enumerate(judged) if name not in BY_WEBHOOK_ONLY}
    for name, namespace in tried.items():
        make_namespace(kube, namespace, namespace)
        if (old := BYPASSES[name].old) is not None:
            kube.create(KINDS[old["kind"]], {**old, "metadata": {**old["metadata"], "namespace": namespace}})
        enforce(kube, namespace, policy(namespace, **BYPASSES[name].spec))
    await_policies(kube, "after-bypasses")
    reported = {
        name: refusal(kube, namespace, BYPASSES[name].new, update=BYPASSES[name].old is not None)
        for name, namespace in tried.items()
    }
    assert {name: text for name, text in reported.items() if f"({BYPASSES[name].rule})" not in text} == {}
    assert len(reported) >= 30


def large_job(tasks: int, containers: int) -> Body:
    many = [
        {"name": f"c{at}", "image": "registry.example.com/team/app:1", "resources": {"requests": {"cpu": "1"}}}
        for at in range(containers)
    ]
    return job(*(task(f"t{at}", 1, template=pod_template(containers=many)) for at in range(tasks)))


def large_flow(steps: int) -> Body:
    patch = {"jobSpec": {"queue": "q1", "tasks": [task()]}}
    return flow(*(step(f"s{at}", patch=patch) for at in range(steps)))


ALL: dict[str, Any] = {
    "limits": {"maxSteps": 10_000, "maxParallelism": 10_000, "maxReplicas": 100_000, "maxRetry": 10},
    "allowed": {
        "queues": ["q*"],
        "schedulerNames": ["vol*", "default-*"],
        "serviceAccounts": ["d*"],
        "plugins": ["e*"],
    },
    "denied": {"queues": ["x*"], "priorityClassNames": ["system-*"], "plugins": ["ssh"]},
    "required": {"resourceRequests": ["cpu"]},
}


@pytest.mark.parametrize(
    "manifest",
    [large_job(100, 20), large_job(1000, 2), large_flow(200), large_flow(1000)],
    ids=["2000 containers", "1000 tasks", "200 patches", "1000 patches"],
)
def test_nothing_is_refused_because_of_its_size(kube: BlockingClient, manifest: Body) -> None:
    if kube.find(JOBFLOWPOLICY, "", "large") is None:
        make_namespace(kube, "large", "large")
        enforce(kube, "large", policy("large", **ALL))
        await_policies(kube, "after-large")
    assert refusal(kube, "large", manifest) == ""
