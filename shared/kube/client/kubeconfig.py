"""Reads kubeconfig files as kubectl does and takes from them the API server and the user's credentials.

The Kubernetes client library could do that too, but its import takes 40 MiB and a second of CPU time at each start. It
is used only for users whose credentials come from a plugin (`plugin_credentials`).
"""

import base64
import binascii
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shared.codec import plain_yaml
from shared.kube.client.access import Credentials
from shared.model.types import Body


class BadKubeconfig(Exception):
    """A kubeconfig cannot be read, or the context in use names a cluster or user that is not in it."""


class NamedCluster(msgspec.Struct, frozen=True, rename="kebab"):
    server: str = ""
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool | None = None
    tls_server_name: str | None = None
    proxy_url: str | None = None


class NamedUser(msgspec.Struct, frozen=True, rename="kebab"):
    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    username: str | None = None
    password: str | None = None
    exec: Body | None = None
    auth_provider: Body | None = None

    @property
    def needs_plugin(self) -> bool:
        """Whether a program or an identity provider gives the credentials."""
        return bool(self.exec or self.auth_provider)


class NamedContext(msgspec.Struct, frozen=True):
    cluster: str = ""
    user: str = ""
    namespace: str | None = None


class _Cluster(msgspec.Struct, frozen=True):
    name: str
    cluster: NamedCluster | None = None


class _User(msgspec.Struct, frozen=True):
    name: str
    user: NamedUser | None = None


class _Context(msgspec.Struct, frozen=True):
    name: str
    context: NamedContext | None = None


class KubeconfigFile(msgspec.Struct, frozen=True, rename="kebab"):
    clusters: tuple[_Cluster, ...] | None = None
    users: tuple[_User, ...] | None = None
    contexts: tuple[_Context, ...] | None = None
    current_context: str | None = None


class Chosen(msgspec.Struct, frozen=True):
    """What a context selects. Paths in them are relative to the folder of the file that each came from."""

    cluster: NamedCluster
    cluster_folder: Path
    user: NamedUser
    user_folder: Path


def choose(paths: str, context: str) -> Chosen:
    """`paths`: files joined by the system's path separator, of which the first that sets a value wins, as in kubectl;
    `context`: '' for the current one. Raises BadKubeconfig.
    """
    files = [
        read_file(path) for part in paths.split(os.pathsep) if part and (path := Path(part).expanduser()).is_file()
    ]
    contexts = [(one.name, one.context, folder) for file, folder in files for one in file.contexts or ()]
    clusters = [(one.name, one.cluster, folder) for file, folder in files for one in file.clusters or ()]
    users = [(one.name, one.user, folder) for file, folder in files for one in file.users or ()]
    if not contexts and not clusters:
        raise BadKubeconfig("no clusters, contexts and users in it")
    name = context or next((file.current_context for file, _ in files if file.current_context), "")
    if not name:
        raise BadKubeconfig("it has no current-context, and no context is requested")
    found, _ = _named(contexts, "context", name)
    cluster, cluster_folder = _named(clusters, "cluster", found.cluster)
    if not cluster.server:
        raise BadKubeconfig(f'cluster "{found.cluster}" has no server')
    user, user_folder = _named(users, "user", found.user) if found.user else (NamedUser(), cluster_folder)
    return Chosen(cluster, cluster_folder, user, user_folder)


def credentials(chosen: Chosen) -> Credentials:
    """The credentials of a user without a plugin. Reads the token file. Raises BadKubeconfig or OSError."""
    cluster, user = chosen.cluster, chosen.user
    return Credentials(
        host=cluster.server,
        authorization=_authorization(user, chosen.user_folder),
        ca_file=None
        if cluster.certificate_authority_data
        else _path(cluster.certificate_authority, chosen.cluster_folder),
        ca_data=_decoded(cluster.certificate_authority_data, "certificate-authority-data"),
        cert_file="" if user.client_certificate_data else _path(user.client_certificate, chosen.user_folder) or "",
        cert_data=_decoded(user.client_certificate_data, "client-certificate-data"),
        key_file="" if user.client_key_data else _path(user.client_key, chosen.user_folder) or "",
        key_data=_decoded(user.client_key_data, "client-key-data"),
        verify=not cluster.insecure_skip_tls_verify,
        server_name=cluster.tls_server_name or None,
        proxy=cluster.proxy_url or None,
    )


@lru_cache(maxsize=4)
def parsed(text: str) -> Any:
    """The text of a kubeconfig as JSON, which callers must not change. Commands ask for its contexts and its namespace too.
    Raises ValueError.
    """
    try:
        return plain_yaml.read(text)
    except plain_yaml.NotPlain:
        return _by_library(text)


def _by_library(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def read_file(path: Path) -> tuple[KubeconfigFile, Path]:
    """The file and its folder. Raises BadKubeconfig."""
    try:
        raw = parsed(path.read_text())
        return msgspec.convert({} if raw is None else raw, KubeconfigFile), path.absolute().parent
    except (OSError, ValueError) as error:
        raise BadKubeconfig(f"{path.name}: {error}") from error


_Entry = TypeVar("_Entry")


def _named(entries: Sequence[tuple[str, _Entry | None, Path]], what: str, name: str) -> tuple[_Entry, Path]:
    """The first entry of the name, and the folder of its file."""
    for known, entry, folder in entries:
        if known == name and entry is not None:
            return entry, folder
    raise BadKubeconfig(
        f'{what} "{name}" is not in it (known: {", ".join(known for known, _, _ in entries) or "none"})'
    )


def _authorization(user: NamedUser, folder: Path) -> str:
    path = _path(user.token_file, folder)
    token = Path(path).read_text().strip() if path else user.token
    if token:
        return f"Bearer {token}"
    if user.username and user.password:
        return "Basic " + base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
    return ""


def _path(text: str | None, folder: Path) -> str | None:
    return str(folder / text) if text else None


def _decoded(text: str | None, field: str) -> str:
    try:
        return base64.b64decode("".join((text or "").split()), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise BadKubeconfig(f"{field} is not base64 of a PEM text: {error}") from error
