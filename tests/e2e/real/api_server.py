"""A real API server with the chart's CRDs: no controllers, no webhook."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from local.client.blocking import BlockingClient
from local.controlplane import ControlPlane, ControlPlaneOptions
from local.processes import Processes
from shared.kinds import CRD


@contextmanager
def api_server(folder: Path, crds: str = "*.yaml") -> Iterator[BlockingClient]:
    """An administrator's client of the server. `crds`: pattern of the files of CRDs; `folder`: for data and logs."""
    options = ControlPlaneOptions(Path(os.environ["KUBEBUILDER_ASSETS"]), folder, controller_manager=False)
    with Processes(folder / "logs") as processes:
        plane = ControlPlane(options, processes)
        plane.start()
        kube = BlockingClient(plane.kubeconfig)
        for file in Path("helm/jobflow/files/crds").glob(crds):
            kube.create(CRD, yaml.safe_load(file.read_text()))
        yield kube
