"""The options of `jobflow local up` and `jobflow local demo`, checked before a process starts."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.backends import Backend, EmbeddedBackend, ExistingBackend, RealBackend
from local.cluster import ClusterOptions, LocalCluster
from local.ports import obstacle_to_listening
from shared import quantity

BACKENDS: Final = ("embedded", "real", "kubeconfig")
ASSETS: Final = "KUBEBUILDER_ASSETS"
MAX_NODES: Final = 500
MAX_SPEED: Final = 10_000
_BINARIES: Final = ("etcd", "kube-apiserver", "kubectl")


@dataclass(frozen=True)
class ClusterRequest:
    """`port`: of the API server, 0 for any free one; `cpu`, `memory`, `gpus`: allocatable on each node; `speed`:
    simulated seconds that pass on the nodes, and for schedules, in one real second.

    The default nodes hold examples/seed/distributed-training.yaml, which needs five GPUs.
    """

    backend: str = "embedded"
    kubeconfig: str = ""
    port: int = 0
    nodes: int = 3
    cpu: str = "8"
    memory: str = "32Gi"
    gpus: int = 2
    speed: float = 1.0
    run_commands: bool = False

    def problems(self) -> list[str]:
        """All faults of the request, one sentence each."""
        return [*self._number_problems(), *self._quantity_problems(), *self._backend_problems(), *self._port_problems()]

    def cluster(self, folder: Path) -> LocalCluster:
        """The cluster, not yet started; its data and logs go into `folder`."""
        options = ClusterOptions(
            nodes=self.nodes,
            cpu=self.cpu,
            memory=self.memory,
            gpus=self.gpus,
            speed=self.speed,
            run_commands=self.run_commands,
            in_process=self.backend == "real",
        )
        return LocalCluster(self._backend(), options, folder)

    def _backend(self) -> Backend:
        port = ("--port", str(self.port))
        match self.backend:
            case "real":
                return RealBackend(Path(os.environ[ASSETS]).absolute(), arguments=port)
            case "kubeconfig":
                return ExistingBackend(Path(self.kubeconfig))
            case _:
                return EmbeddedBackend(port)

    def _number_problems(self) -> Iterator[str]:
        if not 0 <= self.nodes <= MAX_NODES:
            yield f"--nodes {self.nodes}: must be between 0 and {MAX_NODES}"
        if self.gpus < 0:
            yield f"--gpus {self.gpus}: must not be negative"
        if not 0 < self.speed <= MAX_SPEED:
            yield f"--speed {self.speed:g}: must be greater than 0 and at most {MAX_SPEED}"

    def _quantity_problems(self) -> Iterator[str]:
        for flag, text in (("--cpu", self.cpu), ("--memory", self.memory)):
            if fault := quantity.fault(text):
                yield f"{flag} {text}: {fault}"
            elif quantity.quantity(text).nanos <= 0:
                yield f"{flag} {text}: must be greater than 0"

    def _backend_problems(self) -> Iterator[str]:
        if self.backend == "real":
            yield from _assets_problems(os.environ.get(ASSETS, ""))
        if self.backend == "kubeconfig":
            if not self.kubeconfig:
                yield "--backend kubeconfig: name the cluster's kubeconfig with --kubeconfig FILE"
            elif not os.access(Path(self.kubeconfig).expanduser(), os.R_OK):
                yield f"--kubeconfig {self.kubeconfig}: the file does not exist or cannot be read"
        elif self.kubeconfig:
            yield f"--kubeconfig {self.kubeconfig}: is used only with --backend kubeconfig"

    def _port_problems(self) -> Iterator[str]:
        if not 0 <= self.port <= 65535:
            yield f"--port {self.port}: must be between 1 and 65535, or 0 for any free port"
        elif self.port and self.backend == "kubeconfig":
            yield f"--port {self.port}: is not used with --backend kubeconfig"
        elif self.port and (obstacle := obstacle_to_listening(self.port)):
            yield f"--port {self.port}: {obstacle}; choose another port, or leave --port out to use a free one"


def _assets_problems(assets: str) -> Iterator[str]:
    binaries = ", ".join(_BINARIES)
    if not assets:
        yield f"--backend real: set {ASSETS} to a folder with {binaries}"
        return
    missing = [name for name in _BINARIES if not os.access(Path(assets) / name, os.X_OK)]
    if missing:
        yield f"--backend real: {ASSETS}={assets} holds no executable {', '.join(missing)}"
