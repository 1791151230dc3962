"""What the chart renders is valid, strictly, for every version of Kubernetes that it takes."""

import re
from typing import Final

import kubernetes_validate
import pytest
import yaml

from shared.model.types import Body
from tests.helm.cases import CRD, EXTERNAL
from tests.helm.chart import CHART, NAMESPACE, run

VERSIONS: Final = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
EVERYTHING: Final = (
    "networkPolicy.enabled=true",
    "flowSchema.enabled=true",
    "webhook.validatePods=true",
    "metrics.serviceMonitor.enabled=true",
    "metrics.prometheusRule.enabled=true",
    "metrics.grafanaDashboard.enabled=true",
)


def objects(version: str, values: tuple[str, ...]) -> list[Body]:
    arguments = [f"--set={value}" for value in values]
    text = run("template", "jobflow", str(CHART), f"--namespace={NAMESPACE}", f"--kube-version={version}.0", *arguments)
    found = [body for body in yaml.load_all(text, yaml.CSafeLoader) if body]
    return [body for body in found if body["apiVersion"] not in EXTERNAL]


def invalid(version: str, bodies: list[Body]) -> dict[str, str]:
    faults = {}
    for body in bodies:
        try:
            kubernetes_validate.validate(body, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            faults[f"{body['kind']} {body['metadata']['name']}"] = str(error)
    return faults


@pytest.mark.parametrize("values", [(), EVERYTHING], ids=["as it comes", "everything"])
@pytest.mark.parametrize("version", VERSIONS)
def test_all_objects_are_valid(version: str, values: tuple[str, ...]) -> None:
    bodies = objects(version, values)
    kinds = {body["kind"] for body in bodies}
    assert {"Deployment", "ValidatingWebhookConfiguration", CRD} <= kinds
    assert ("NetworkPolicy" in kinds) is bool(values)
    assert invalid(version, bodies) == {}


def test_an_unknown_field_is_found() -> None:
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"prots": []}}
    assert "Service x" in invalid("1.30", [body])


def test_these_are_the_versions_that_the_chart_takes() -> None:
    oldest = re.search(r"(?m)^kubeVersion: \"?>=(\d+\.\d+)", (CHART / "Chart.yaml").read_text())
    assert oldest
    assert oldest[1] == VERSIONS[0]
    assert VERSIONS[-1] == ".".join(kubernetes_validate.latest_version().split(".")[:2])
