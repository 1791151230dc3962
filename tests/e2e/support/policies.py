"""Policies of scenarios, and waiting until webhook and controller have seen them."""

from collections.abc import Callable
from typing import Any

from local.client.blocking import until
from local.client.rest import RestError
from shared.kinds import CRD, JOB, JOBFLOWPOLICY, JOBTEMPLATE, POLICYREPORT
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, template

DENY = {"rules": [{"name": "never", "expression": "false", "message": "not now"}]}


def known_to_the_controller(scenario: Scenario, name: str) -> None:
    def ready() -> bool:
        return bool((scenario.kube.get(JOBFLOWPOLICY, "", name).get("status") or {}).get("conditions"))

    until(ready, 30, lambda: f"the controller does not know {name}")


def here(scenario: Scenario) -> Body:
    return {"matchLabels": {"kubernetes.io/metadata.name": scenario.namespace}}


def policy(name: str, **spec: Any) -> Body:
    return {
        "apiVersion": JOBFLOWPOLICY.api_version,
        "kind": JOBFLOWPOLICY.kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def known_to_the_webhook(scenario: Scenario, name: str) -> None:
    """Until a later policy acts: the webhook's watch delivers them in the order in which they were created."""
    probe = policy(f"{name}-probe", match={"namespaceSelector": here(scenario), "kinds": ["JobTemplate"]}, **DENY)
    scenario.kube.create(JOBFLOWPOLICY, probe)
    path = f"/apis/{JOBTEMPLATE.api_version}/namespaces/{scenario.namespace}/jobtemplates?dryRun=All"

    def refused() -> bool:
        try:
            scenario.kube.request("POST", path, template(scenario.namespace, "probe"))
        except RestError as error:
            return f"{name}-probe" in error.message
        return False

    until(refused, 10, lambda: f"the webhook does not know {name}")
    scenario.kube.delete(JOBFLOWPOLICY, "", f"{name}-probe")
    until(lambda: not refused(), 10, lambda: "the webhook does not forget the probe")


def job(scenario: Scenario, name: str = "j", **spec: Any) -> Body:
    made = template(scenario.namespace, name)
    return {**made, "apiVersion": JOB.api_version, "kind": JOB.kind, "spec": {**made["spec"], **spec}}


Policies = Callable[..., None]


def reports_crd() -> Body:
    """PolicyReports as far as we write them; the real CRD comes with the tools that show them."""
    result = {
        "type": "object",
        "required": ["policy"],
        "properties": {
            "policy": {"type": "string"},
            "rule": {"type": "string"},
            "result": {"type": "string", "enum": ["pass", "fail", "warn", "error", "skip"]},
            "source": {"type": "string"},
            "scored": {"type": "boolean"},
            "message": {"type": "string"},
            "properties": {"type": "object", "additionalProperties": {"type": "string"}},
            "resources": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            "timestamp": {
                "type": "object",
                "required": ["nanos", "seconds"],
                "properties": {"nanos": {"type": "integer"}, "seconds": {"type": "integer"}},
            },
        },
    }
    summary = {"type": "object", "properties": {key: {"type": "integer"} for key in SUMMARY}}
    schema = {
        "type": "object",
        "properties": {"results": {"type": "array", "items": result}, "summary": summary},
    }
    version = {"name": POLICYREPORT.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": POLICYREPORT.kind, "plural": POLICYREPORT.plural, "singular": "policyreport"}
    names["listKind"] = f"{POLICYREPORT.kind}List"
    return {
        "apiVersion": CRD.api_version,
        "kind": CRD.kind,
        "metadata": {"name": POLICYREPORT.resource},
        "spec": {"group": POLICYREPORT.group, "names": names, "scope": "Namespaced", "versions": [version]},
    }


SUMMARY = ("pass", "fail", "warn", "error", "skip")
