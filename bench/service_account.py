"""A service account with all rights and the files that Kubernetes mounts for it into Pods."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

from local.cluster import LocalCluster

NAME: Final = "bench-controller"
NAMESPACE: Final = "default"
_ACCOUNTS: Final = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
_ROLES: Final = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
_SECONDS: Final = 24 * 3600


def mounted(cluster: LocalCluster) -> Mapping[str, str]:
    """The environment of a process that uses the account. Needs a real API server, which issues tokens."""
    folder = cluster.folder / "service-account"
    if not folder.exists():
        folder.mkdir()
        (folder / "ca.crt").write_bytes(_authority(cluster.kubeconfig))
        (folder / "token").write_text(_token(cluster))
    where = urlsplit(cluster.kube.server)
    return {
        "BENCH_SERVICE_ACCOUNT": str(folder),
        "KUBERNETES_SERVICE_HOST": where.hostname or "",
        "KUBERNETES_SERVICE_PORT": str(where.port or 443),
        "KUBECONFIG": "",
    }


def _token(cluster: LocalCluster) -> str:
    cluster.kube.request("POST", _ACCOUNTS, {"metadata": {"name": NAME}})
    binding = {
        "metadata": {"name": NAME},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }
    cluster.kube.request("POST", _ROLES, binding)
    asked = {"spec": {"expirationSeconds": _SECONDS}}
    return str(cluster.kube.request("POST", f"{_ACCOUNTS}/{NAME}/token", asked)["status"]["token"])


def _authority(kubeconfig: Path) -> bytes:
    found = yaml.safe_load(kubeconfig.read_text())
    return base64.b64decode(found["clusters"][0]["cluster"]["certificate-authority-data"])
