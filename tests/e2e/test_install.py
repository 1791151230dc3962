"""One helm command installs it, another upgrades it, a third removes it; meanwhile it works with the rights it was given."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.kinds import CRD, JOBFLOW, JOBTEMPLATE, MUTATING, QUEUE, SECRET, VALIDATING
from tests.cluster.backends import chosen
from tests.cluster.kube import until
from tests.e2e.installation import CONFIGURATION, NAME, NAMESPACE, Installation
from tests.e2e.scenario import phase

Body = dict[str, Any]
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
def installed(request: pytest.FixtureRequest) -> Iterator[Installation]:
    backend = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    with Installation(backend) as installation:
        installation.install()
        installation.run()
        yield installation


def test_the_seeds_example_succeeds_with_the_rights_of_the_chart(installed: Installation) -> None:
    installed.cluster.await_service_account("default")
    installed.cluster.kubectl("apply", "-f", str(SEED / "jobtemplates.yaml"), "-f", str(SEED / "jobflow.yaml"))
    installed.cluster.wait_for(JOBFLOW, "default", "test", lambda flow: phase(flow) == "Succeed", 90)
    for name in ("webhook", "controller"):
        assert "forbidden" not in installed.cluster.logs(name), name


def test_kubectl_is_refused_a_cyclic_flow(installed: Installation) -> None:
    told = installed.cluster.kubectl.refusal(CYCLE)
    assert "cycle a -> b -> a" in told


def test_an_upgrade_keeps_certificate_and_trust(installed: Installation) -> None:
    before = installed.kube.get(SECRET, NAMESPACE, f"{NAME}-webhook-certs")["data"]
    bundles = installed.bundles()
    assert len(bundles) == 1
    installed.upgrade("--set=controller.workers=8", "--set=webhook.validatePods=true")
    assert installed.kube.get(SECRET, NAMESPACE, f"{NAME}-webhook-certs")["data"] == before
    until(lambda: installed.bundles() == bundles, 60, lambda: f"{installed.bundles()} instead of {bundles}")
    installed.helm("rollback", "1")
    assert installed.bundles() == bundles
    installed.await_checked()


def test_the_webhook_is_taken_out_by_one_command_and_put_back_by_another(installed: Installation) -> None:
    """As docs/operate.md says."""
    kinds = "validatingwebhookconfiguration,mutatingwebhookconfiguration"
    bundles = installed.bundles()
    installed.cluster.kubectl("delete", kinds, "-l", "app.kubernetes.io/part-of=jobflow")
    until(lambda: not refused(installed), 30, lambda: "still refused")
    installed.upgrade("--reset-then-reuse-values")
    installed.await_checked()
    until(lambda: installed.bundles() == bundles, 30, lambda: "the CA is another")


def refused(installed: Installation) -> bool:
    return bool(
        installed.cluster.kubectl(
            "create", "-f", "-", "--dry-run=server", stdin=json.dumps(CYCLE), check=False
        ).returncode
    )


def test_certificates_are_inspected_and_rotated_by_hand(installed: Installation) -> None:
    where = [f"--kubeconfig={installed.cluster.kubeconfig}", f"--namespace={NAMESPACE}", f"--service={NAME}-webhook"]
    where += [f"--secret={NAME}-webhook-certs"]
    before = certs("inspect", *where, "-o", "json")
    certs("rotate", *where, f"--webhook-configuration={CONFIGURATION}")
    after = certs("inspect", *where, "-o", "json")
    assert len(json.loads(before)["authorities"]) == 1
    assert len(json.loads(after)["authorities"]) == 2
    assert len(installed.bundles()) == 1
    assert refused(installed)


def certs(*arguments: str) -> str:
    command = [sys.executable, "-m", "certs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_uninstalled_it_leaves_crds_and_flows_and_nothing_in_the_way(installed: Installation) -> None:
    installed.cluster.processes.stop("controller")
    installed.helm("uninstall")
    installed.cluster.processes.stop("webhook")
    for kind in (MUTATING, VALIDATING):
        assert installed.kube.find(kind, "", CONFIGURATION) is None
    assert installed.kube.find(SECRET, NAMESPACE, f"{NAME}-webhook-certs") is None
    assert installed.kube.get(CRD, "", "jobflows.flow.volcano.sh")
    assert phase(installed.kube.get(JOBFLOW, "default", "test")) == "Succeed"
    assert installed.kube.list(JOBTEMPLATE, "default")
    assert installed.kube.get(QUEUE, "", "default")
    installed.cluster.kubectl.apply(CYCLE)  # nothing is asked any more
