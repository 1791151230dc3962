"""The API server itself refuses while no webhook answers: an installation in mode Lenient, and a local cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.backends import chosen
from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import LocalCluster
from local.request import ClusterRequest
from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING, JOBFLOW, JOBFLOWPOLICY, MUTATING, VALIDATING
from shared.model.types import Body
from tests.e2e.support.installation import CONFIGURATION, Installation, refusal
from tests.webhook.make import flow, step
from tests.webhook.policies.make import policy

POLICY = policy("house", limits={"maxSteps": 2}, required={"existingTemplates": True})
LONG = flow(step("a"), step("b"), step("c"), name="long")
CYCLE = flow(step("a", "c"), step("b", "a"), step("c", "b"), name="cyclic")
TYPO = flow(step("prepare"), step("train", "prepar"), name="typo")
BY_WEBHOOK = 'The JobFlow "cyclic" is invalid: spec.flows: Invalid value: cycle a -> b -> c -> a'
BY_RULE = 'has 3 steps, at most 2 are allowed (policy "house", limits.maxSteps)'
CHANGES: tuple[tuple[Body, bool], ...] = (  # of the policy, and whether the flow of three steps is then refused
    ({"limits": {"maxSteps": 3}}, False),
    ({"limits": {"maxSteps": 1}}, True),
    ({"mode": "Warn"}, False),
    ({"mode": "Enforce"}, True),
    ({"exceptions": {"allowedNamespaces": ["team-*"], "maxDuration": "24h"}}, False),
    ({"exceptions": None}, True),
)
BY_POLICY = (
    f"ValidatingAdmissionPolicy '{CONFIGURATION}-jobflows' with binding '{CONFIGURATION}-jobflows' denied request"
)


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> Iterator[Installation]:
    with Installation(chosen(request.config.getoption("--backend"))) as installation:
        installation.install("--set=webhook.mode=Lenient")
        installation.run()
        yield installation


def test_the_api_server_refuses_broken_graphs_while_no_webhook_answers(installed: Installation) -> None:
    reported = refusal(installed, CYCLE)
    assert BY_WEBHOOK in reported
    assert reported.count("cycle") == 1
    assert "ValidatingAdmissionPolicy" not in reported
    assert 'did you mean "prepare"' in refusal(installed, TYPO)

    installed.cluster.processes.stop("webhook")
    until(lambda: BY_POLICY in refusal(installed, CYCLE), 60, lambda: refusal(installed, CYCLE))
    assert "each step waits for the one before it (dependsOn.targets)" in refusal(installed, CYCLE)
    assert 'step "train": no step named "prepar"' in refusal(installed, TYPO)
    assert refusal(installed, flow(name="right")) == ""

    installed.cluster.processes.stop("controller")
    installed.helm("uninstall", "--ignore-not-found")
    for kind in (ADMISSION_POLICY, ADMISSION_POLICY_BINDING):
        left = [each["metadata"]["name"] for each in installed.kube.list(kind, "")]
        assert [name for name in left if name.startswith(CONFIGURATION)] == []


def test_the_api_server_enforces_policies_while_no_webhook_answers(installed: Installation) -> None:
    installed.kube.create(JOBFLOWPOLICY, POLICY)
    state = installed.cluster.wait_for(JOBFLOWPOLICY, "", "house", lambda body: "inProcess" in body.get("status", {}))
    assert state["status"]["inProcess"]["rules"] == ["limits.maxSteps"]
    until(lambda: BY_RULE in refusal(installed, LONG), 60, lambda: refusal(installed, LONG))
    reported = refusal(installed, LONG)
    assert reported.count("at most 2 are allowed") == 1
    assert "ValidatingAdmissionPolicy" not in reported

    installed.cluster.processes.stop("webhook")
    words = 'policy "house" (limits.maxSteps): spec.flows: has 3 steps, at most 2 are allowed'
    until(lambda: words in refusal(installed, LONG), 60, lambda: refusal(installed, LONG))
    assert refusal(installed, flow(step("a"), name="right")) == ""

    for change, refuses in CHANGES:
        installed.kube.patch(JOBFLOWPOLICY, "", "house", {"spec": change})
        until(lambda: bool(refusal(installed, LONG)) is refuses, 60, lambda: refusal(installed, LONG))  # noqa: B023
    installed.cluster.processes.stop("controller")
    # A policy that has been changed meanwhile is left to the webhook until the controller has read it.
    installed.kube.patch(JOBFLOWPOLICY, "", "house", {"spec": {"limits": {"maxSteps": 2}}})
    until(lambda: refusal(installed, LONG) == "", 60, lambda: refusal(installed, LONG))
    installed.start("controller")
    until(lambda: words in refusal(installed, LONG), 120, lambda: refusal(installed, LONG))
    installed.cluster.processes.stop("controller")
    installed.kube.delete(JOBFLOWPOLICY, "", "house")
    until(lambda: refusal(installed, LONG) == "", 60, lambda: refusal(installed, LONG))


def test_a_local_cluster_with_a_real_api_server_refuses_with_and_without_its_webhook(tmp_path: Path) -> None:
    with ClusterRequest(backend="real", nodes=0).cluster(tmp_path) as cluster:
        cluster.kube.create(JOBFLOWPOLICY, policy("house", limits={"maxSteps": 2}))
        state = cluster.wait_for(JOBFLOWPOLICY, "", "house", lambda body: "inProcess" in body.get("status", {}))
        assert state["status"]["inProcess"]["rules"] == ["limits.maxSteps"]
        until(lambda: BY_RULE in refused_there(cluster, LONG), 30, lambda: refused_there(cluster, LONG))
        for kind in (MUTATING, VALIDATING):
            for each in cluster.kube.list(kind):
                cluster.kube.delete(kind, "", each["metadata"]["name"])
        by_server = "ValidatingAdmissionPolicy 'jobflow"
        until(lambda: by_server in refused_there(cluster, LONG), 60, lambda: refused_there(cluster, LONG))
        until(lambda: by_server in refused_there(cluster, CYCLE), 60, lambda: refused_there(cluster, CYCLE))


def refused_there(cluster: LocalCluster, manifest: Body) -> str:
    try:
        cluster.kube.create(JOBFLOW, {**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}})
    except RestError as error:
        return str(error)
    return ""
