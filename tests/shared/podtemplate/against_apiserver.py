"""Compares the pod template rules with a real kube-apiserver, whose answer is correct if the two differ.

    KUBEBUILDER_ASSETS=FOLDER python -m tests.shared.podtemplate.against_apiserver [-v]

Sends every template of the tables as a pod in a dry run. The exit code is 1 if a verdict differs; `-v` also prints
different messages. It is not a test, because the default run has no API server.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.client.blocking import BlockingClient, until
from local.client.rest import RestError
from local.controlplane import ControlPlane, ControlPlaneOptions
from local.processes import Processes
from shared.podtemplate import check_template
from tests.shared.podtemplate.make import template
from tests.shared.podtemplate.test_accepted import ACCEPTED
from tests.shared.podtemplate.test_refused import METADATA, REFUSED
from tests.shared.podtemplate.test_refused_pod import REFUSED_POD
from tests.shared.podtemplate.test_refused_volumes import REFUSED_VOLUMES

PODS = "/api/v1/namespaces/default/pods?dryRun=All"


def cases() -> dict[str, dict[str, Any]]:
    refused = {**REFUSED, **REFUSED_VOLUMES, **REFUSED_POD}
    tables = {**ACCEPTED, **{name: row[:2] for name, row in refused.items()}}
    made = {name: template(path, value) for name, (path, value) in tables.items()}
    return made | {name: {**template(), "metadata": metadata} for name, (metadata, _) in METADATA.items()}


def said(kube: BlockingClient, made: dict[str, Any]) -> str:
    """The server's error for a pod of this template; '' if it accepts the pod."""
    metadata = {**(made.get("metadata") or {}), "name": "probe"}
    try:
        kube.request("POST", PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made.get("spec")})
    except RestError as error:
        return str(error)
    return ""


def compare(kube: BlockingClient, verbose: bool) -> int:
    different = 0
    for name, made in cases().items():
        theirs, ours = said(kube, made), [str(fault) for fault in check_template(made, "T")]
        if bool(theirs) != bool(ours):
            different += 1
        elif not verbose or all(text.removeprefix("T.") in theirs for text in ours):
            continue
        print(f"{name}\n  kube-apiserver: {theirs or 'takes it'}\n  the rules: {ours or 'take it'}")
    print(f"{len(cases())} templates, {different} verdicts differ")
    return 1 if different else 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder) / "logs") as processes:
        plane = ControlPlane(ControlPlaneOptions(Path(os.environ["KUBEBUILDER_ASSETS"]), Path(folder)), processes)
        plane.start()
        kube = BlockingClient(plane.kubeconfig)
        until(lambda: _has_account(kube), 60, lambda: "no service account, so no pods")
        return compare(kube, "-v" in sys.argv[1:])


def _has_account(kube: BlockingClient) -> bool:
    try:
        kube.request("GET", "/api/v1/namespaces/default/serviceaccounts/default")
    except RestError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
