"""Compares the CEL functions of policies with a real kube-apiserver's ValidatingAdmissionPolicies.

    KUBEBUILDER_ASSETS=FOLDER python -m tests.shared.expressions.against_apiserver [--record]

Every expression of `kubernetes_cases` becomes a ValidatingAdmissionPolicy, and a dry run of an object shows its result.
The exit code is 1 if a result differs from the recorded one; `--record` writes the results instead.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from urllib3.exceptions import HTTPError

from local.client.blocking import BlockingClient, until
from local.client.rest import RestError
from local.controlplane import ControlPlane, ControlPlaneOptions
from local.processes import Processes
from tests.shared.expressions.kubernetes_cases import EXPRESSIONS, OBJECT

RECORDED: Final = Path(__file__).with_name("kubernetes_results.json")
_GROUP: Final = "cases.example.com"
_THINGS: Final = f"/apis/{_GROUP}/v1/namespaces/default/things"
_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
_CRD: Final[dict[str, Any]] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"things.{_GROUP}"},
    "spec": {
        "group": _GROUP,
        "names": {"plural": "things", "kind": "Thing"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                    }
                },
            }
        ],
    },
}


def expressions() -> list[str]:
    return [text for texts in EXPRESSIONS.values() for text in texts]


def results(kube: BlockingClient) -> dict[str, str]:
    """The result of every expression: true, false, error or invalid."""
    kube.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", _CRD)
    until(lambda: _serves(kube), 30, lambda: "things are not served")
    texts = expressions()
    found = {text: "invalid" for index, text in enumerate(texts) if not _install(kube, f"case-{index}", text)}
    names = {text: f"case-{index}" for index, text in enumerate(texts) if text not in found}
    _install(kube, "last", "false")
    until(lambda: _result(kube, "last") == "false", 60, lambda: "policies are not enforced")
    return found | {text: _result(kube, name) for text, name in names.items()}


def _serves(kube: BlockingClient) -> bool:
    try:
        kube.request("GET", _THINGS)
    except (RestError, HTTPError):
        return False  # 429 while the storage of a new kind is being initialized
    return True


def _install(kube: BlockingClient, name: str, expression: str) -> bool:
    """A policy for the object of this name. False if the expression does not compile."""
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [_GROUP], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["things"]}
                ]
            },
            "matchConditions": [{"name": "case", "expression": f"object.metadata.name == '{name}'"}],
            "validations": [{"expression": expression, "message": "FALSE"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    try:
        kube.request("POST", f"{_ADMISSION}/validatingadmissionpolicies", policy)
    except RestError as error:
        if "--verbose" in sys.argv:
            print(expression, "\n   ", str(error)[:300])
        return False
    kube.request("POST", f"{_ADMISSION}/validatingadmissionpolicybindings", binding)
    return True


def _result(kube: BlockingClient, name: str) -> str:
    body = {"apiVersion": f"{_GROUP}/v1", "kind": "Thing", "metadata": {"name": name}, **OBJECT}
    try:
        kube.request("POST", f"{_THINGS}?dryRun=All", body)
    except RestError as error:
        return "false" if "FALSE" in str(error) else "error"
    return "true"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder) / "logs") as processes:
        plane = ControlPlane(ControlPlaneOptions(Path(os.environ["KUBEBUILDER_ASSETS"]), Path(folder)), processes)
        plane.start()
        found = results(BlockingClient(plane.kubeconfig))
    if "--record" in sys.argv:
        RECORDED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        print(f"{len(found)} results recorded")
        return 0
    recorded = json.loads(RECORDED.read_text())
    different = {text: result for text, result in found.items() if recorded.get(text) != result}
    for text, result in different.items():
        print(f"{text}\n  kube-apiserver: {result}, recorded: {recorded.get(text)}")
    print(f"{len(found)} expressions, {len(different)} results differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
