"""Finds the API server and credentials: from a kubeconfig, or from the service account of a Pod."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.kube.client.access import Access, Credentials

HOME_KUBECONFIG: Final = "~/.kube/config"
SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


class NoCluster(Exception):
    """No kubeconfig and no Pod service account was found, or it cannot be read."""


async def load(kubeconfig: str = "", context: str = "", environ: Mapping[str, str] = os.environ) -> Access:
    """Access from the first that exists of: `kubeconfig`, $KUBECONFIG, the Pod's service account, ~/.kube/config."""
    path = kubeconfig or environ.get("KUBECONFIG", "")
    in_pod = environ.get("KUBERNETES_SERVICE_HOST") and _there(f"{SERVICE_ACCOUNT}/token")
    if not path and in_pod:
        return await _as_pod(environ)
    if path or _there(HOME_KUBECONFIG):
        # Imported here because the library takes 22 MB and half a second, and a Pod does not need it.
        from shared.kube.client import kubeconfig as files

        path = path or HOME_KUBECONFIG
        if not any(_there(part) for part in path.split(os.pathsep) if part):
            raise NoCluster(f"kubeconfig {path}: no such file")
        try:
            file = await files.KubeConfig.load(path, context)
            return Access(file.credentials, file.refresh)
        except files.NOTHING as fault:
            raise NoCluster(f"kubeconfig {path}: no clusters, contexts and users in it") from fault
        except files.FAULTS as fault:
            raise NoCluster(f"kubeconfig {path}: {fault}") from fault
    raise NoCluster(f"no --kubeconfig, no $KUBECONFIG, no service account of a Pod, no {HOME_KUBECONFIG}")


def plain(host: str, *, token: str = "", ca_file: str | None = None, verify: bool = True) -> Access:
    """Access to a known address, for tests and for `kubectl proxy`."""
    return Access(Credentials(host, f"Bearer {token}" if token else "", ca_file, verify=verify))


async def _as_pod(environ: Mapping[str, str]) -> Access:
    """Access by the service account that Kubernetes mounts into Pods. Its token changes about once an hour."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT") or "443"
    address = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"

    async def read(renew: bool) -> Credentials:
        token = _text(f"{SERVICE_ACCOUNT}/token")
        return Credentials(address, f"Bearer {token}", f"{SERVICE_ACCOUNT}/ca.crt")

    try:
        return Access(await read(False), read)
    except (OSError, ssl.SSLError) as fault:
        raise NoCluster(f"service account in {SERVICE_ACCOUNT}: {fault}") from fault


def _there(path: str) -> bool:
    return Path(path).expanduser().is_file()


def _text(path: str) -> str:
    return Path(path).read_text().strip()
