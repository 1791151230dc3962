"""Finds the API server and credentials: from a kubeconfig, or from the service account of a Pod."""

import contextlib
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


class NeedsPlugin(Exception):
    """A program or an identity provider gives the user's credentials, which `load` can wait for."""


async def load(kubeconfig: str = "", context: str = "", environ: Mapping[str, str] = os.environ) -> Access:
    """Access from the first that exists of: `kubeconfig`, $KUBECONFIG, the Pod's service account, ~/.kube/config."""
    try:
        return load_now(kubeconfig, context, environ)
    except NeedsPlugin:
        from shared.kube.client import plugin_credentials  # takes 40 MiB and a second of CPU time

        paths = _kubeconfig(kubeconfig, environ)
        try:
            return await plugin_credentials.load(paths, context)
        except (OSError, ValueError) as fault:
            raise NoCluster(f"kubeconfig {paths}: {fault}") from fault


def load_now(kubeconfig: str = "", context: str = "", environ: Mapping[str, str] = os.environ) -> Access:
    """The same without an event loop. Raises NeedsPlugin."""
    path = kubeconfig or environ.get("KUBECONFIG", "")
    in_pod = environ.get("KUBERNETES_SERVICE_HOST") and _there(f"{SERVICE_ACCOUNT}/token")
    if not path and in_pod:
        return _as_pod(environ)
    if path or _there(HOME_KUBECONFIG):
        return _from_files(_kubeconfig(kubeconfig, environ), context)
    raise NoCluster(f"no --kubeconfig, no $KUBECONFIG, no service account of a Pod, no {HOME_KUBECONFIG}")


def _kubeconfig(given: str, environ: Mapping[str, str]) -> str:
    return given or environ.get("KUBECONFIG", "") or HOME_KUBECONFIG


def plain(host: str, *, token: str = "", ca_file: str | None = None, verify: bool = True) -> Access:
    """Access to a known address, for tests and for `kubectl proxy`."""
    return Access(Credentials(host, f"Bearer {token}" if token else "", ca_file, verify=verify))


def _from_files(paths: str, context: str) -> Access:
    from shared.kube.client import kubeconfig  # Pods do not need it, and the YAML library takes time to import

    if not any(_there(part) for part in paths.split(os.pathsep) if part):
        raise NoCluster(f"kubeconfig {paths}: no such file")
    try:
        chosen = kubeconfig.choose(paths, context)
        if chosen.user.needs_plugin:
            raise NeedsPlugin
        current = kubeconfig.credentials(chosen)
    except (kubeconfig.BadKubeconfig, OSError, ValueError) as fault:
        raise NoCluster(f"kubeconfig {paths}: {fault}") from fault

    async def read(renew: bool) -> Credentials:
        nonlocal current
        if renew or chosen.user.token_file:
            with contextlib.suppress(
                kubeconfig.BadKubeconfig, OSError
            ):  # it is being rewritten: the next read succeeds
                current = kubeconfig.credentials(kubeconfig.choose(paths, context))
        return current

    try:
        return Access(current, read)
    except (OSError, ValueError) as fault:
        raise NoCluster(f"kubeconfig {paths}: {fault}") from fault


def _as_pod(environ: Mapping[str, str]) -> Access:
    """Access by the service account that Kubernetes mounts into Pods. Its token changes about once an hour."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT") or "443"
    address = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"

    def mounted() -> Credentials:
        return Credentials(address, f"Bearer {_text(f'{SERVICE_ACCOUNT}/token')}", f"{SERVICE_ACCOUNT}/ca.crt")

    async def read(renew: bool) -> Credentials:
        return mounted()

    try:
        return Access(mounted(), read)
    except (OSError, ssl.SSLError) as fault:
        raise NoCluster(f"service account in {SERVICE_ACCOUNT}: {fault}") from fault


def _there(path: str) -> bool:
    return Path(path).expanduser().is_file()


def _text(path: str) -> str:
    return Path(path).read_text().strip()
