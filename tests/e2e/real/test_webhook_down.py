"""An installation in mode Lenient whose webhook has stopped: the API server itself refuses broken graphs."""

import json
from collections.abc import Iterator

import pytest

from local.backends import chosen
from local.client.blocking import until
from shared.kinds import Kind
from shared.model.types import Body
from tests.e2e.support.installation import CONFIGURATION, Installation
from tests.webhook.make import flow, step

POLICIES = Kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False)
BINDINGS = Kind(
    "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", False
)
CYCLE = flow(step("a", "c"), step("b", "a"), step("c", "b"), name="cyclic")
TYPO = flow(step("prepare"), step("train", "prepar"), name="typo")
BY_WEBHOOK = 'The JobFlow "cyclic" is invalid: spec.flows: Invalid value: cycle a -> b -> c -> a'
BY_POLICY = (
    f"ValidatingAdmissionPolicy '{CONFIGURATION}-jobflows' with binding '{CONFIGURATION}-jobflows' denied request"
)


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> Iterator[Installation]:
    with Installation(chosen(request.config.getoption("--backend"))) as installation:
        installation.install("--set=webhook.mode=Lenient")
        installation.run()
        yield installation


def refusal(installed: Installation, manifest: Body) -> str:
    """What kubectl prints when the API server refuses to create the object; '' if it accepts it."""
    sent = {**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}}
    tried = ("create", "-f", "-", "--dry-run=server")
    done = installed.cluster.kubectl(*tried, stdin=json.dumps(sent), check=False)
    return done.stderr if done.returncode else ""


def test_the_api_server_refuses_broken_graphs_while_no_webhook_answers(installed: Installation) -> None:
    told = refusal(installed, CYCLE)
    assert BY_WEBHOOK in told
    assert told.count("cycle") == 1
    assert "ValidatingAdmissionPolicy" not in told
    assert 'did you mean "prepare"' in refusal(installed, TYPO)

    installed.cluster.processes.stop("webhook")
    until(lambda: BY_POLICY in refusal(installed, CYCLE), 60, lambda: refusal(installed, CYCLE))
    assert "each step waits for the one before it (dependsOn.targets)" in refusal(installed, CYCLE)
    assert 'step "train": no step named "prepar"' in refusal(installed, TYPO)
    assert refusal(installed, flow(name="right")) == ""

    installed.cluster.processes.stop("controller")
    installed.helm("uninstall", "--ignore-not-found")
    for kind in (POLICIES, BINDINGS):
        left = [each["metadata"]["name"] for each in installed.kube.list(kind, "")]
        assert [name for name in left if name.startswith(CONFIGURATION)] == []
