"""How to reach the API server: kubeconfig or in-cluster, by `kubernetes.aio.config`, with credentials kept fresh."""

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import Configuration
from kubernetes.aio.config.incluster_config import SERVICE_TOKEN_FILENAME, InClusterConfigLoader

REFRESH_SECONDS: Final = 60.0  # client-go's re-read period of token files
HOME_KUBECONFIG: Final = "~/.kube/config"


class NoCluster(Exception):
    """Neither a kubeconfig nor a Pod's service account was found, or it cannot be read."""


class Access:
    """An API server's address, TLS and credentials. `authorization()` is cheap: it looks at files once a minute."""

    def __init__(self, configuration: Configuration, refresh: Callable[[bool], Awaitable[None]] | None = None) -> None:
        self._configuration = configuration
        self._refresh = refresh
        self._refreshed = time.monotonic()
        self._lock = asyncio.Lock()
        self._certificate = (configuration.cert_file, configuration.key_file)
        self.host: str = configuration.host.rstrip("/")
        self.server_name: str | None = configuration.tls_server_name
        self.proxy: str | None = configuration.proxy
        self.tls: ssl.SSLContext | None = _context(configuration) if self.host.startswith("https") else None

    async def authorization(self, *, renew: bool = False) -> str:
        """The Authorization header's value or ''. `renew`: the last one was refused, load it anew."""
        if self._refresh is not None and (renew or time.monotonic() - self._refreshed > REFRESH_SECONDS):
            async with self._lock:
                await self._load(renew)
        return str(self._configuration.api_key.get("BearerToken") or "")

    async def _load(self, renew: bool) -> None:
        self._refreshed = time.monotonic()
        assert self._refresh is not None
        await self._refresh(renew)
        certificate = (self._configuration.cert_file, self._configuration.key_file)
        if self.tls is not None and certificate != self._certificate and certificate[0]:
            self.tls.load_cert_chain(*certificate)  # the next handshakes use it
            self._certificate = certificate


def _context(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # cluster CAs often lack what Python >= 3.13 asks for; Go does not
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def load(kubeconfig: str = "", context: str = "", environ: Mapping[str, str] = os.environ) -> Access:
    """Access by, in this order: `kubeconfig`, $KUBECONFIG, the Pod's service account, ~/.kube/config."""
    path = kubeconfig or environ.get("KUBECONFIG", "")
    try:
        if path:
            return await _from_file(path, context)
        if environ.get("KUBERNETES_SERVICE_HOST") and _there(SERVICE_TOKEN_FILENAME):
            return _in_cluster(environ)
        if _there(HOME_KUBECONFIG):
            return await _from_file(HOME_KUBECONFIG, context)
    except (kube_config.ConfigException, OSError, ValueError) as fault:
        raise NoCluster(f"{path or 'cluster configuration'}: {fault}") from fault
    raise NoCluster(f"no --kubeconfig, no $KUBECONFIG, no service account of a Pod, no {HOME_KUBECONFIG}")


def _there(path: str) -> bool:
    return Path(path).expanduser().is_file()


def plain(host: str, *, token: str = "", ca_file: str | None = None, verify: bool = True) -> Access:
    """Access to a known address, for tests and for `kubectl proxy`."""
    configuration = Configuration(host=host, ssl_ca_cert=ca_file)
    configuration.verify_ssl = verify
    if token:
        configuration.api_key["BearerToken"] = f"Bearer {token}"
    return Access(configuration)


def _in_cluster(environ: Mapping[str, str]) -> Access:
    configuration = Configuration()
    loader = InClusterConfigLoader(
        SERVICE_TOKEN_FILENAME, kube_config.incluster_config.SERVICE_CERT_FILENAME, environ=environ
    )
    loader.load_and_set(configuration)

    async def refresh(renew: bool) -> None:
        loader.load_and_set(configuration)

    return Access(configuration, refresh)


class _User(msgspec.Struct):
    """Whether a kubeconfig user's credentials change by themselves."""

    exec_plugin: bool
    static: bool


def _user(loader: Any) -> _User:
    user = getattr(loader, "_user", None)
    names = set(getattr(user, "value", user) or ())
    return _User("exec" in names, not names & {"exec", "tokenFile", "auth-provider"})


async def _from_file(path: str, context: str) -> Access:
    configuration = Configuration()

    async def read() -> Any:
        return await kube_config.load_kube_config(
            path, context=context or None, client_configuration=configuration, persist_config=False
        )

    if not any(_there(part) for part in path.split(os.pathsep) if part):
        raise NoCluster(f"kubeconfig {path}: no such file")
    loader = await read()
    user = _user(loader)

    async def refresh(renew: bool) -> None:
        nonlocal loader
        if user.exec_plugin and not renew:
            await loader.load_from_exec_plugin()  # runs the plugin only when what it gave has expired
            configuration.api_key["BearerToken"] = getattr(loader, "token", "")
            configuration.cert_file = getattr(loader, "cert_file", None)
            configuration.key_file = getattr(loader, "key_file", None)
        elif renew or not user.static:
            loader = await read()

    return Access(configuration, refresh)
