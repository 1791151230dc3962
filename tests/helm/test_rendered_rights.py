"""The rights that the chart grants, and which switches add or remove some."""

import pytest

from local import admission_policies
from shared.model.types import Body
from tests.helm.cases import CASES
from tests.helm.chart import NAMESPACE, of, render


def test_the_api_server_enforces_policies_where_the_controller_runs_and_warns_where_no_webhook_does() -> None:
    def actions(**values: Body) -> list[str]:
        bindings = [each for each in render(values) if each["kind"] == "ValidatingAdmissionPolicyBinding"]
        return [each["spec"]["validationActions"][0] for each in bindings if "paramRef" in each["spec"]]

    assert actions() == ["Deny", "Audit", "Audit"] * 2
    assert actions(webhook={"mode": "Off"}) == ["Deny", "Warn", "Audit"] * 2
    for off in (
        {"inProcess": {"policies": False}},
        {"flowController": {"enabled": False}},
        {"webhook": {"volcanoCRDs": True}},
    ):
        assert actions(**off) == []
        texts = [argument for each in render(off) for argument in _arguments(each)]
        assert "--in-process-policies" not in texts
    (binding, *_) = [each for each in render() if "paramRef" in each.get("spec", {})]
    (expression,) = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert expression["values"] == ["kube-system", NAMESPACE]


WRITES = {"*", "create", "update", "patch", "delete", "deletecollection", "bind", "escalate", "impersonate"}

ADMISSION = {
    "*",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
}


def admission_writers(values: Body) -> dict[str, set[str]]:
    """The roles that may write admission policies, and which."""
    found: dict[str, set[str]] = {}
    for each in render(values):
        for rule in (each.get("rules") or ()) if each["kind"] in ("ClusterRole", "Role") else ():
            group = {"*", "admissionregistration.k8s.io"}.intersection(rule.get("apiGroups") or ())
            written = ADMISSION.intersection(rule.get("resources") or ())
            if group and written and WRITES.intersection(rule["verbs"]):
                found.setdefault(each["metadata"]["name"], set()).update(written)
    return found


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_nobody_may_write_admission_policies_unless_rules_are_enforced_in_process(values: Body) -> None:
    if values.get("inProcess", {}).get("rules"):
        assert [*admission_writers(values).values()] == [
            {"validatingadmissionpolicies", "validatingadmissionpolicybindings"}
        ]
    else:
        assert admission_writers(values) == {}


def test_the_controller_makes_policies_of_rules_only_where_it_is_asked_to() -> None:
    def arguments(values: Body) -> list[str]:
        return [argument for each in render(values) for argument in _arguments(each) if "rules" in argument]

    on = {"inProcess": {"rules": True}}
    assert arguments({}) == []
    assert arguments({"inProcess": {"rules": True, "policies": False}}) == []
    assert admission_writers({"inProcess": {"rules": True, "policies": False}}) == {}
    assert [text.partition("=")[0] for text in arguments(on)] == ["--in-process-rules"] * 2
    (excluded,) = [text for each in render(on) for text in _arguments(each) if text.startswith("--excluded-namespaces")]
    assert excluded == f"--excluded-namespaces=kube-system,{NAMESPACE}"
    for mode in ("Off", "Lenient"):
        texts = [text for each in render({**on, "webhook": {"mode": mode}}) for text in _arguments(each)]
        assert ("--in-process-warn" in texts) is (mode == "Off")


def _arguments(each: Body) -> list[str]:
    containers = each["spec"]["template"]["spec"]["containers"] if each["kind"] == "Deployment" else ()
    return [argument for container in containers for argument in container.get("args", ())]


def test_the_policy_admin_role_writes_policies_only() -> None:
    role = of(render(), "ClusterRole", "-policies")
    writes = {"create", "update", "patch", "delete", "deletecollection"}
    written = [rule["resources"] for rule in role["rules"] if writes & set(rule["verbs"])]
    assert written == [["jobflowpolicies", "jobflowpolicyexceptions"]]
    assert not [key for key in role["metadata"]["labels"] if "aggregate-to" in key]


def test_editors_of_a_namespace_read_exceptions_and_only_a_role_of_its_own_writes_them() -> None:
    objects = [each for each in render() if each["kind"] == "ClusterRole"]
    writers = {
        each["metadata"]["name"].partition("-")[2]
        for each in objects
        for rule in each["rules"]
        if "jobflowpolicyexceptions" in rule["resources"] and "create" in rule["verbs"]
    }
    assert {name.partition("jobflow-")[2] or name for name in writers} == {"policies", "exceptions"}
    role = next(each for each in objects if each["metadata"]["name"].endswith("-exceptions"))
    assert not [key for key in role["metadata"]["labels"] if "aggregate-to" in key]


def test_the_local_cluster_installs_the_policies_of_the_chart() -> None:
    """The chart adds labels."""
    names = {
        f"jobflow-{each}"
        for each in (
            "jobflows",
            "jobs",
            *(f"{of}-{action}" for of in ("job", "flow") for action in ("deny", "warn", "audit")),
        )
    }
    rendered = {
        (each["kind"], each["metadata"]["name"]): each["spec"]
        for each in render()
        if each["kind"].startswith("ValidatingAdmissionPolicy") and each["metadata"]["name"] in names
    }
    installed = {
        (kind.kind, body["metadata"]["name"]): body["spec"]
        for kind, body in admission_policies.objects("jobflow", ("kube-system", NAMESPACE))
    }
    assert installed == rendered
