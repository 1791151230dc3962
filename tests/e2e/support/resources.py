"""A kind without a controller: tests patch its status as its operator would. And Jobs of batch/v1."""

from typing import Any, Final

from local.client.blocking import until
from local.cluster import BATCH_JOB
from shared.kinds import Kind
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario

GROUP: Final = "test.jobflow.dev"
WIDGET: Final = Kind(f"{GROUP}/v1", "Widget", "widgets")
LATE: Final = Kind(f"{GROUP}/v1", "Late", "lates")
BATCH: Final = Kind("batch/v1", "Job", "jobs")
CHOSEN: Final = Kind(f"{GROUP}/v1", "Chosen", "chosens")
RESOURCE_KINDS: Final[tuple[dict[str, Any], ...]] = (
    BATCH_JOB,
    {"apiVersion": WIDGET.api_version, "kind": "Widget", "resource": "widgets"},
    {"apiVersion": LATE.api_version, "kind": "Late", "resource": "lates"},
    {
        "apiVersion": CHOSEN.api_version,
        "kind": "Chosen",
        "resource": "chosens",
        "namespaceSelector": {"matchLabels": {"chosen": "yes"}},
    },
)


# An API server refuses definitions of groups that end with .k8s.io without it.
_PROTECTED: Final = {"api-approved.kubernetes.io": "unapproved, of a test"}


def definition(kind: Kind) -> Body:
    """A minimal CRD with a status subresource."""
    whole = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": whole, "status": whole}}
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.resource, "annotations": _PROTECTED},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {"kind": kind.kind, "plural": kind.plural, "singular": kind.kind.lower()},
            "versions": [version],
        },
    }


def widget(**more: Any) -> Body:
    """`resource` of a step: a Widget that ends by `status.state`."""
    manifest = {"apiVersion": WIDGET.api_version, "kind": "Widget", "spec": {"size": 1}}
    return {
        "manifest": manifest,
        "success": "object.status.state == 'good'",
        "failure": "object.status.state == 'bad'",
        "message": "object.?status.?message.orValue('')",
        **more,
    }


def await_object(scenario: Scenario, kind: Kind, name: str) -> Body:
    return until(lambda: scenario.kube.find(kind, scenario.namespace, name), 30, lambda: f"no {kind.kind} {name}")


def report(scenario: Scenario, name: str, state: str, **status: Any) -> None:
    """Write the status of a Widget, once it is there."""
    await_object(scenario, WIDGET, name)
    scenario.kube.patch(WIDGET, scenario.namespace, name, {"status": {"state": state, **status}}, "status")


def complete_batch_job(scenario: Scenario, name: str) -> None:
    """What Kubernetes' Job controller writes."""
    await_object(scenario, BATCH, name)
    conditions = [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]
    status = {"succeeded": 2, "conditions": conditions}
    scenario.kube.patch(BATCH, scenario.namespace, name, {"status": status}, "status")
