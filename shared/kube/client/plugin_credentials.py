"""Credentials of kubeconfig users with an exec plugin or an identity provider (OIDC). Uses the Kubernetes client library."""

import binascii
from typing import Any, Final, Self

import yaml
from kubernetes.aio import config
from kubernetes.aio.client import Configuration

from shared.kube.client.access import Access, Credentials

_FAULTS: Final = (config.ConfigException, OSError, ValueError, TypeError, yaml.YAMLError, binascii.Error)
CHANGING: Final = frozenset({"exec", "tokenFile", "auth-provider"})


async def load(paths: str, context: str) -> Access:
    """Raises ValueError when the files or the plugin give no credentials."""
    try:
        file = await KubeConfig.load(paths, context)
        return Access(file.credentials, file.refresh)
    except _FAULTS as fault:
        raise ValueError(str(fault)) from fault


class KubeConfig:
    """`paths`: files joined by the system's path separator, merged as in kubectl; `context`: '' for the current one."""

    def __init__(self, paths: str, context: str) -> None:
        self._paths = paths
        self._context = context
        self._configuration = Configuration()
        self._loader: Any = None

    @classmethod
    async def load(cls, paths: str, context: str) -> Self:
        """Raises one of _FAULTS."""
        kubeconfig = cls(paths, context)
        await kubeconfig._read()
        return kubeconfig

    @property
    def credentials(self) -> Credentials:
        found = self._configuration
        return Credentials(
            host=found.host,
            authorization=found.api_key.get("BearerToken") or "",
            ca_file=found.ssl_ca_cert,
            cert_file=found.cert_file or "",
            key_file=found.key_file or "",
            verify=found.verify_ssl,
            server_name=found.tls_server_name,
            proxy=found.proxy,
        )

    async def refresh(self, renew: bool) -> Credentials:
        """Runs the exec plugin again if its credential has expired, and reads token files again; both if it was refused."""
        user = getattr(self._loader, "_user", None)
        kinds = CHANGING & set(getattr(user, "value", user) or ())
        if "exec" in kinds and not renew:
            await self._loader.load_from_exec_plugin()
            self._configuration.api_key["BearerToken"] = getattr(self._loader, "token", "")
            self._configuration.cert_file = getattr(self._loader, "cert_file", None)
            self._configuration.key_file = getattr(self._loader, "key_file", None)
        elif kinds or renew:
            await self._read()
        return self.credentials

    async def _read(self) -> None:
        self._loader = await config.load_kube_config(
            self._paths,
            context=self._context or None,
            client_configuration=self._configuration,
            persist_config=False,
        )
