"""The backends that serve the Kubernetes API: the embedded server, a real control plane, or an existing cluster."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from local.processes import Processes

READY_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Endpoint:
    """How to connect. `audit`: the audit log, if one is written."""

    kubeconfig: Path
    audit: Path | None = None


class Backend(Protocol):
    """`name`: the value of `--backend`."""

    @property
    def name(self) -> str: ...

    def start(self, processes: Processes, folder: Path, crds: Path) -> Endpoint:
        """Serve until `processes` end; data and logs go into `folder`. `crds`: CRDs to install first."""
        ...


@dataclass(frozen=True)
class EmbeddedBackend:
    """`python -m local.apiserver`: in memory, ready in a second."""

    arguments: Sequence[str] = ()
    name: str = "embedded"

    def start(self, processes: Processes, folder: Path, crds: Path) -> Endpoint:
        command = ["-m", f"{__package__}.apiserver", "--port", "0", "--dir", str(folder / "apiserver"), *self.arguments]
        return _child(processes, "apiserver", command, {})


@dataclass(frozen=True)
class RealBackend:
    """kube-apiserver, etcd, kube-controller-manager and kubectl from a folder (`KUBEBUILDER_ASSETS`)."""

    assets: Path
    audit: bool = False
    scheduler: bool = False
    arguments: Sequence[str] = ()
    name: str = "real"

    def start(self, processes: Processes, folder: Path, crds: Path) -> Endpoint:
        command = ["-m", f"{__package__}.controlplane", "--dir", str(folder / "controlplane"), "--crds", str(crds)]
        flags = [*(["--audit"] if self.audit else []), *(["--scheduler"] if self.scheduler else [])]
        env = {"KUBEBUILDER_ASSETS": str(self.assets)}
        return _child(processes, "controlplane", [*command, *flags, *self.arguments], env)


@dataclass(frozen=True)
class ExistingBackend:
    """A cluster that exists already."""

    kubeconfig: Path
    name: str = "kubeconfig"

    def start(self, processes: Processes, folder: Path, crds: Path) -> Endpoint:
        return Endpoint(self.kubeconfig.expanduser().absolute())


def chosen(name: str = "", kubeconfig: str = "") -> Backend:
    """The backend of that name. Default: kubeconfig if a kubeconfig is given, else embedded."""
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    match name or ("kubeconfig" if kubeconfig else "embedded"):
        case "embedded":
            return EmbeddedBackend()
        case "real" if assets:
            return RealBackend(Path(assets).absolute())
        case "real":
            raise ValueError("backend real: set KUBEBUILDER_ASSETS to the folder of kube-apiserver, etcd and kubectl")
        case "kubeconfig" if kubeconfig:
            return ExistingBackend(Path(kubeconfig))
        case "kubeconfig":
            raise ValueError("backend kubeconfig: say which with --kubeconfig FILE")
        case other:
            raise ValueError(f"backend {other}: there are embedded, real and kubeconfig")


def _child(processes: Processes, name: str, command: Sequence[str], env: dict[str, str]) -> Endpoint:
    process = processes.start(name, [sys.executable, "-P", *command], env, piped=True)
    ready = json.loads(process.first_line(READY_SECONDS))
    audit = ready.get("audit")
    return Endpoint(Path(ready["kubeconfig"]), Path(audit) if audit else None)
