"""State that all parts of the server share: the store, the registry of kinds, authorization, admission and faults."""

import base64
import logging
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from local.apiserver.admission.dispatch import WebhookAdmission
from local.apiserver.audit import Audit
from local.apiserver.auth import Authenticator
from local.apiserver.call import ApiRequest
from local.apiserver.faults import FaultInjector
from local.apiserver.storage.snapshots import PageSnapshots
from local.apiserver.storage.store import GroupResource, ObjectStore
from local.apiserver.types import builtin, schemas
from local.apiserver.types.resources import ResourceRegistry

log = logging.getLogger("apiserver")


class OpenWatch(Protocol):
    """A watch that the server can end."""

    call: ApiRequest

    def close(self) -> None: ...


@dataclass
class ServerOptions:
    """Options of the server. `rbac`: enforce the stored roles; `seed`: of fault injection;
    `managed_fields`: record them for every object as kube-apiserver does, not only from its first apply on (slower)."""

    rbac: bool = False
    managed_fields: bool = False
    seed: int = 0
    page_lifetime: float = 300.0


@dataclass
class ServerState:
    """The server without its sockets."""

    options: ServerOptions = field(default_factory=ServerOptions)
    store: ObjectStore = field(default_factory=ObjectStore)

    def __post_init__(self) -> None:
        self.definitions = schemas.load()
        self.registry = ResourceRegistry(builtin.resources(self.definitions))
        self.admission = WebhookAdmission(self.store, self.definitions)
        self.audit = Audit()
        self.auth = Authenticator(self.store, lambda: self.options.rbac)
        self.faults = FaultInjector(self.options.seed)
        self.pages = PageSnapshots(self.options.page_lifetime)
        self.logs: dict[tuple[str, str, str], bytes] = {}
        self.makers: dict[str, str] = {}  # uid -> the only manager that has written the object; "" if several have
        self.watches: set[OpenWatch] = set()
        self.url, self.ca = "", b""

    def kubeconfig(self, token: str) -> str:
        """A kubeconfig with this bearer token."""
        cluster = {"server": self.url, "certificate-authority-data": base64.b64encode(self.ca).decode()}
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "local", "cluster": cluster}],
                "users": [{"name": "local", "user": {"token": token}}],
                "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local"}}],
                "current-context": "local",
            }
        )

    def close_watches(self, gr: GroupResource | None = None) -> None:
        """End the open watches of one resource, or all."""
        for watch in tuple(self.watches):
            if gr is None or watch.call.gr == gr:
                watch.close()

    def compact(self) -> None:
        """Drop the history and pages, as etcd's compaction does."""
        self.store.compact()
        self.pages.clear()
