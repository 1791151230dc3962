"""Certificates that another component issues: they are served unchanged, and the webhook is ready only while the API
server trusts them."""

import base64
from pathlib import Path

import pytest

from local.backends import chosen
from local.client.blocking import until
from shared.kinds import MUTATING, VALIDATING
from shared.kinds import NAMESPACE as NAMESPACES
from tests.e2e.support.installation import CONFIGURATION, NAME, NAMESPACE, Installation, certs


def issue(folder: Path) -> None:
    certs("issue", f"--service={NAME}-webhook", f"--namespace={NAMESPACE}", f"--out={folder}")


def trust(installation: Installation, bundle: bytes) -> None:
    """What cert-manager's injector does, or an operator by hand."""
    for kind in (MUTATING, VALIDATING):
        hooks = installation.kube.get(kind, "", CONFIGURATION)["webhooks"]
        wanted = base64.b64encode(bundle).decode()
        change = [
            {"op": "add", "path": f"/webhooks/{at}/clientConfig/caBundle", "value": wanted} for at in range(len(hooks))
        ]
        installation.kube.patch(kind, "", CONFIGURATION, change)


def test_an_existing_certificate_is_served_while_its_ca_is_trusted(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """As docs/operate.md says under `existing`."""
    made, other = tmp_path / "made", tmp_path / "other"
    issue(made)
    issue(other)
    backend = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    with Installation(backend) as installation:
        installation.kube.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        files = [f"--from-file={made / name}" for name in ("tls.crt", "tls.key", "ca.crt")]
        installation.cluster.kubectl("create", "secret", "generic", "mine", f"--namespace={NAMESPACE}", *files)
        installation.install("--set=certificates.source=existing", "--set=certificates.existingSecret=mine")
        assert installation.bundles() == {(made / "ca.crt").read_text()}
        installation.start("webhook")
        installation.cluster.await_ready("webhook", 120)
        installation.await_checked()
        trust(installation, (other / "ca.crt").read_bytes())
        until(lambda: not installation.cluster.ready("webhook"), 120, lambda: "ready though nobody believes it")
        trust(installation, (made / "ca.crt").read_bytes())
        installation.cluster.await_ready("webhook", 120)
        assert "forbidden" not in installation.cluster.logs("webhook")
