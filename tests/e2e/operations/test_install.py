"""One helm command installs it, another upgrades it, a third removes it; meanwhile it works with the rights it was given.

Every test can be run again on what its first, failed run left.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.backends import Backend
from local.client.blocking import until
from shared.kinds import CRD, JOBFLOW, JOBTEMPLATE, MUTATING, QUEUE, SECRET, VALIDATING
from shared.model.types import Body
from tests.e2e.support.installation import CONFIGURATION, NAME, NAMESPACE, Installation, certs
from tests.e2e.support.scenario import phase

CERTIFICATES = f"{NAME}-webhook-certs"
SEED = Path("examples/seed").absolute()
CYCLE: Body = {
    "apiVersion": "flow.volcano.sh/v1alpha1",
    "kind": "JobFlow",
    "metadata": {"name": "cyclic"},
    "spec": {
        "flows": [
            {"name": "a", "dependsOn": {"targets": ["b"]}},
            {"name": "b", "dependsOn": {"targets": ["a"]}},
        ]
    },
}


@pytest.fixture(scope="module")
def installed(backend: Backend) -> Iterator[Installation]:
    with Installation(backend) as installation:
        installation.install()
        installation.run()
        yield installation


def test_the_example_of_the_documents_succeeds_with_the_permissions_of_the_chart(installed: Installation) -> None:
    installed.cluster.await_service_account("default")
    installed.cluster.kubectl("apply", "-f", str(SEED / "jobtemplates.yaml"), "-f", str(SEED / "jobflow.yaml"))
    installed.cluster.wait_for(JOBFLOW, "default", "test", lambda flow: phase(flow) == "Succeed", 180)
    for name in ("webhook", "controller"):
        assert "forbidden" not in installed.cluster.logs(name), name


def test_a_cyclic_flow_is_refused_in_kubectl(installed: Installation) -> None:
    reported = installed.cluster.kubectl.refusal(CYCLE)
    assert "cycle a -> b -> a" in reported


def test_an_upgrade_keeps_certificate_and_trust(installed: Installation) -> None:
    before = installed.kube.get(SECRET, NAMESPACE, CERTIFICATES)["data"]
    installed.upgrade("--set=controller.workers=8", "--set=webhook.validatePods=true")
    assert installed.kube.get(SECRET, NAMESPACE, CERTIFICATES)["data"] == before
    await_trust(installed)
    installed.helm("rollback", "1")
    assert installed.bundles() == {authority(installed)}
    installed.await_checked()


def authority(installed: Installation) -> str:
    """The CA bundle in the Secret."""
    return base64.b64decode(installed.kube.get(SECRET, NAMESPACE, CERTIFICATES)["data"]["ca.crt"]).decode()


def await_trust(installed: Installation) -> None:
    """Until every webhook of both configurations holds that bundle."""

    def held() -> bool:
        return installed.bundles() == {authority(installed)}

    until(held, 120, lambda: f"{installed.bundles()} instead of {authority(installed)}")


def test_the_webhook_is_disabled_by_one_command_and_enabled_by_another(installed: Installation) -> None:
    """As docs/operate.md says."""
    hooks = "validatingwebhookconfiguration,mutatingwebhookconfiguration"
    policies = "validatingadmissionpolicybinding,validatingadmissionpolicy"
    before = authority(installed)
    for kinds in (hooks, policies):
        installed.cluster.kubectl("delete", kinds, "-l", "app.kubernetes.io/part-of=jobflow")
    until(lambda: not refusal(installed), 60, lambda: f"still refused: {refusal(installed)}")
    installed.upgrade("--reset-then-reuse-values")
    installed.await_checked()
    await_trust(installed)
    assert authority(installed) == before


def refusal(installed: Installation) -> str:
    """The refusal of a cyclic flow; '' if it would be accepted. Nothing is stored."""
    tried = ("create", "-f", "-", "--dry-run=server")
    done = installed.cluster.kubectl(*tried, stdin=json.dumps(CYCLE), check=False)
    return done.stderr if done.returncode else ""


def test_certificates_are_inspected_and_rotated_as_the_runbook_says(installed: Installation) -> None:
    where = [f"--kubeconfig={installed.cluster.kubeconfig}", f"--namespace={NAMESPACE}"]

    def authorities() -> set[str]:
        return {each["fingerprint"] for each in json.loads(certs("inspect", *where, "-o", "json"))["authorities"]}

    before = authorities()
    certs("rotate", *where)
    assert authorities() >= before
    assert len(authorities()) == 2
    certs("rotate", *where)  # a second rotation waits for the end of the first
    assert len(authorities()) == 2
    await_trust(installed)
    assert "cycle a -> b -> a" in refusal(installed)


def test_a_rotation_of_a_release_that_does_not_exist_changes_nothing(installed: Installation) -> None:
    """Meanwhile the webhook may end an earlier rotation: it takes authorities away, but adds none."""

    def secrets() -> list[str]:
        return sorted(each["metadata"]["name"] for each in installed.kube.list(SECRET, NAMESPACE))

    def trusted() -> set[str]:
        texts = (authority(installed), *installed.bundles())
        return {each for text in texts for each in text.split("-----END CERTIFICATE-----")}

    before, known = secrets(), trusted()
    kubeconfig = f"--kubeconfig={installed.cluster.kubeconfig}"
    for wrong in (
        [],  # the default namespace, jobflow-system
        [f"--namespace={NAMESPACE}", "--release=jobflow"],
        [f"--namespace={NAMESPACE}", "--secret=jobflow-webhook-certs"],
        [f"--namespace={NAMESPACE}", "--webhook-configuration=jobflow"],
    ):
        with pytest.raises(subprocess.CalledProcessError) as failed:
            certs("rotate", kubeconfig, *wrong)
        assert failed.value.returncode == 1
        assert failed.value.stderr.startswith("error: ")
        assert secrets() == before
        assert trusted() <= known


def test_uninstalling_keeps_crds_and_flows_and_removes_everything_else(installed: Installation) -> None:
    installed.cluster.processes.stop("controller")
    installed.helm("uninstall", "--ignore-not-found")
    installed.cluster.processes.stop("webhook")
    for kind in (MUTATING, VALIDATING):
        assert installed.kube.find(kind, "", CONFIGURATION) is None
    assert installed.kube.find(SECRET, NAMESPACE, CERTIFICATES) is None
    assert installed.kube.get(CRD, "", "jobflows.flow.volcano.sh")
    assert phase(installed.kube.get(JOBFLOW, "default", "test")) == "Succeed"
    assert installed.kube.list(JOBTEMPLATE, "default")
    assert installed.kube.get(QUEUE, "", "default")
    until(lambda: not refusal(installed), 60, lambda: f"somebody is still asked: {refusal(installed)}")
