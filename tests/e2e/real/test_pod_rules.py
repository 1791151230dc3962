"""Random pod templates through our rules and through a real kube-apiserver's dry run: the verdicts are equal."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.client.blocking import BlockingClient
from local.client.rest import RestError
from local.controlplane import ControlPlane, ControlPlaneOptions
from local.processes import Processes
from shared.model.types import Body
from shared.podtemplate import check_template
from tests.shared.podtemplate.mutations import template
from tests.shared.podtemplate.test_verdicts import ANSWERS

PODS = "/api/v1/namespaces/default/pods?dryRun=All"
# They judge a pod by other objects of the cluster, which a template cannot know.
BY_OTHER_OBJECTS = "ServiceAccount,Priority,RuntimeClass,LimitRanger,PodSecurity"
BEYOND_THE_STORED = 3000


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlockingClient]:
    folder = tmp_path_factory.mktemp("plane")
    options = ControlPlaneOptions(
        Path(os.environ["KUBEBUILDER_ASSETS"]),
        folder,
        controller_manager=False,
        apiserver_args=(f"--disable-admission-plugins={BY_OTHER_OBJECTS}",),
    )
    with Processes(folder / "logs") as processes:
        plane = ControlPlane(options, processes)
        plane.start()
        yield BlockingClient(plane.kubeconfig)


def refusal(kube: BlockingClient, made: Body) -> str:
    """Why the server refuses a pod of the template; '' if it accepts it."""
    metadata, spec = made.get("metadata") or {}, made.get("spec")
    named = {**metadata, "name": "probe"} if isinstance(metadata, dict) else metadata
    placed = {"serviceAccountName": "default", **spec} if isinstance(spec, dict) else spec
    try:
        kube.request("POST", PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": placed})
    except RestError as error:
        return f"{error.code} {error.message}"
    return ""


def test_the_verdict_on_every_template_is_kube_apiservers(kube: BlockingClient) -> None:
    first = len(ANSWERS) * 256
    different = []
    for seed in (*range(1000), *range(first, first + BEYOND_THE_STORED)):
        made = template(seed)
        theirs, ours = refusal(kube, made), [str(fault) for fault in check_template(made, "T")]
        if bool(theirs) != bool(ours):
            different.append(f"{seed}: kube-apiserver: {theirs or 'accepts it'}; the rules: {ours or 'accept it'}")
        assert theirs[:3] in ("", "400", "422"), theirs
    assert different == []
