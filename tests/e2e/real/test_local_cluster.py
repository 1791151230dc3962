"""`jobflow local up --backend real` installs what lets the API server itself enforce policies, as the chart does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import LocalCluster
from local.request import ClusterRequest
from shared.kinds import JOBFLOW, JOBFLOWPOLICY, MUTATING, VALIDATING
from shared.model.types import Body
from tests.webhook.make import flow, step
from tests.webhook.policies.make import policy

LONG = flow(step("a"), step("b"), name="long")
CYCLE = flow(step("a", "b"), step("b", "a"), name="cyclic")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    with ClusterRequest(backend="real", nodes=0).cluster(tmp_path) as cluster:
        yield cluster


def refusal(cluster: LocalCluster, manifest: Body) -> str:
    try:
        cluster.kube.create(JOBFLOW, {**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}})
    except RestError as error:
        return str(error)
    return ""


def test_policies_and_graphs_are_enforced_with_and_without_the_webhook(cluster: LocalCluster) -> None:
    cluster.kube.create(JOBFLOWPOLICY, policy("house", limits={"maxSteps": 1}))
    state = cluster.wait_for(JOBFLOWPOLICY, "", "house", lambda body: "inProcess" in body.get("status", {}))
    assert state["status"]["inProcess"]["rules"] == ["limits.maxSteps"]
    by_webhook = 'at most 1 are allowed (policy "house", limits.maxSteps)'
    until(lambda: by_webhook in refusal(cluster, LONG), 30, lambda: refusal(cluster, LONG))
    for kind in (MUTATING, VALIDATING):
        for each in cluster.kube.list(kind):
            cluster.kube.delete(kind, "", each["metadata"]["name"])
    for manifest in (LONG, CYCLE):
        by_server = "ValidatingAdmissionPolicy 'jobflow"
        until(lambda: by_server in refusal(cluster, manifest), 60, lambda: refusal(cluster, manifest))  # noqa: B023
