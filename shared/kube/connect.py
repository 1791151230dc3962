"""How to reach the API server: by kubeconfig or as a Pod, with credentials kept fresh."""

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

REFRESH_SECONDS: Final = 60.0  # client-go's re-read period of token files
HOME_KUBECONFIG: Final = "~/.kube/config"
SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


class NoCluster(Exception):
    """Neither a kubeconfig nor a Pod's service account was found, or it cannot be read."""


class Credentials(msgspec.Struct, frozen=True):
    """Where the API server is and who we are. `authorization`: that header's value; files by path; '' for none."""

    host: str
    authorization: str = ""
    ca_file: str | None = None
    cert_file: str = ""
    key_file: str = ""
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None


Refresh = Callable[[bool], Awaitable[Credentials]]
"""Loads the credentials again; True when those in use were refused, False when it is merely time to look."""


class Access:
    """An API server's address, TLS and credentials. `authorization()` is cheap: it looks at files once a minute."""

    def __init__(self, credentials: Credentials, refresh: Refresh | None = None) -> None:
        self._credentials = credentials
        self._refresh = refresh
        self._refreshed = time.monotonic()
        self._lock = asyncio.Lock()
        self.host = credentials.host.rstrip("/")
        self.server_name = credentials.server_name
        self.proxy = credentials.proxy
        self.tls = _context(credentials) if self.host.startswith("https") else None

    async def authorization(self, *, renew: bool = False) -> str:
        """The Authorization header's value or ''. `renew`: the last one was refused, load it anew."""
        if self._refresh is not None and (renew or time.monotonic() - self._refreshed > REFRESH_SECONDS):
            async with self._lock:
                self._refreshed = time.monotonic()
                self._take(await self._refresh(renew))
        return self._credentials.authorization

    def _take(self, fresh: Credentials) -> None:
        old, self._credentials = self._credentials, fresh
        if self.tls is not None and fresh.cert_file and fresh.cert_file != old.cert_file:
            self.tls.load_cert_chain(fresh.cert_file, fresh.key_file)  # the next handshakes use it


def _context(credentials: Credentials) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=credentials.ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # cluster CAs often lack what Python >= 3.13 asks for; Go does not
    if credentials.cert_file:
        context.load_cert_chain(credentials.cert_file, credentials.key_file)
    if not credentials.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def load(kubeconfig: str = "", context: str = "", environ: Mapping[str, str] = os.environ) -> Access:
    """Access by, in this order: `kubeconfig`, $KUBECONFIG, the Pod's service account, ~/.kube/config."""
    path = kubeconfig or environ.get("KUBECONFIG", "")
    in_pod = environ.get("KUBERNETES_SERVICE_HOST") and _there(f"{SERVICE_ACCOUNT}/token")
    if not path and in_pod:
        return await _as_pod(environ)
    if path or _there(HOME_KUBECONFIG):
        # Here, because the library costs 22 MB and half a second, which a Pod need not pay.
        from shared.kube import kubeconfig as files

        path = path or HOME_KUBECONFIG
        if not any(_there(part) for part in path.split(os.pathsep) if part):
            raise NoCluster(f"kubeconfig {path}: no such file")
        try:
            file = await files.KubeConfig.load(path, context)
            return Access(file.credentials, file.refresh)
        except files.FAULTS as fault:
            raise NoCluster(f"kubeconfig {path}: {fault}") from fault
    raise NoCluster(f"no --kubeconfig, no $KUBECONFIG, no service account of a Pod, no {HOME_KUBECONFIG}")


def plain(host: str, *, token: str = "", ca_file: str | None = None, verify: bool = True) -> Access:
    """Access to a known address, for tests and for `kubectl proxy`."""
    return Access(Credentials(host, f"Bearer {token}" if token else "", ca_file, verify=verify))


async def _as_pod(environ: Mapping[str, str]) -> Access:
    """By the service account that Kubernetes mounts, whose token changes about once an hour."""
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
