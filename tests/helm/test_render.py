"""Every switch of values.yaml renders objects that Kubernetes accepts."""

import functools
import json

import kubernetes_validate
import pytest
import yaml

from controller import settings as controller_settings
from shared.model.types import Body
from shared.resource_steps.allowed import parse_kinds
from tests.helm.cases import CASES, CRD, DIGEST, EXTERNAL, identity
from tests.helm.chart import CHART, CLUSTER_SCOPED, container, of, render, run
from web import arguments as web_arguments
from webhook import settings as webhook_settings


@pytest.mark.parametrize("tool", ["helm", "helm3"])
def test_the_chart_passes_lint(tool: str) -> None:
    assert "0 chart(s) failed" in run("lint", "--strict", str(CHART), tool=tool)


BOTH = ("as it comes", "all metrics", "placement", "cert-manager", "existing", "only schedules")


@pytest.mark.parametrize("case", BOTH)
def test_helm_3_renders_what_helm_4_renders(case: str) -> None:
    here, there = (render(CASES[case], crds=True, tool=tool) for tool in ("helm", "helm3"))
    assert {identity(each): each for each in here} == {identity(each): each for each in there}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_what_is_rendered_is_valid(values: Body) -> None:
    objects = render(values)
    for each in objects:
        _validate(json.dumps(each))
        assert each["kind"] in CLUSTER_SCOPED or each["metadata"]["namespace"] == "jobflow-system", each["metadata"]


@functools.cache
def _validate(text: str) -> None:
    """Most objects are the same in most cases."""
    body = json.loads(text)
    if body["apiVersion"] not in EXTERNAL:
        kubernetes_validate.validate(body, "1.36", strict=True)


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_the_processes_accept_the_rendered_arguments(values: Body) -> None:
    objects = render(values)
    parsed = controller_settings.parse(container(of(objects, "Deployment", "-controller"))["args"], {})
    assert parsed.namespace == "jobflow-system"
    assert parsed.leader_elect
    if (values.get("webhook") or {}).get("mode") != "Off":
        assert webhook_settings.parse(container(of(objects, "Deployment", "-webhook"))["args"]).port >= 1024


WEB = [case for case, values in CASES.items() if (values.get("web") or {}).get("enabled")]


@pytest.mark.parametrize("case", WEB)
def test_the_web_pages_have_no_rights_and_accept_their_arguments(case: str) -> None:
    objects = render(CASES[case])
    deployment = of(objects, "Deployment", "-web")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert of(objects, "ServiceAccount", "-web")["automountServiceAccountToken"] is False
    named = [
        subject["name"]
        for each in objects
        if each["kind"] in ("ClusterRoleBinding", "RoleBinding")
        for subject in each.get("subjects") or ()
    ]
    assert pod["serviceAccountName"] not in named
    parsed = web_arguments.parse(container(deployment)["args"], {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert parsed.web.sign_in == (CASES[case]["web"].get("signIn") or "token")
    assert f"{pod['serviceAccountName']}.jobflow-system.svc" in parsed.web.allowed_hosts


def test_the_web_switches_reach_the_process() -> None:
    objects = render(CASES["web, all"])
    parsed = web_arguments.parse(
        container(of(objects, "Deployment", "-web"))["args"], {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    ).web
    assert (parsed.base_path, parsed.namespace, parsed.read_only) == ("/jobflow", "team-a", True)
    assert {"flows.example.com", "other.example.com"} <= set(parsed.allowed_hosts)
    (rule, _) = of(objects, "Ingress", "-web")["spec"]["rules"]
    assert (rule["host"], rule["http"]["paths"][0]["path"]) == ("flows.example.com", "/jobflow")
    assert of(objects, "HTTPRoute", "-web")["spec"]["hostnames"] == ["flows.example.com", "other.example.com"]


def test_without_the_switch_nothing_of_the_web_pages_is_rendered() -> None:
    assert not [each for each in render() if each["metadata"]["name"].endswith("-web")]


def test_the_switches_reach_the_process() -> None:
    values = CASES["throttled"] | CASES["only schedules"] | CASES["schedulers"] | {"gang": {"backend": "gate"}}
    parsed = controller_settings.parse(container(of(render(values), "Deployment", "-controller"))["args"], {})
    assert (parsed.workers, parsed.probe_concurrency, parsed.qps, parsed.watch_namespaces) == (4, 8, 12.5, ("a", "b"))
    assert (parsed.job_controller, parsed.flow_controller, parsed.gang_backend) == (False, False, "gate")
    assert (parsed.scheduler_names, parsed.depends_on_condition) == (("volcano", "other"), "Ready")


def test_a_disabled_plugin_is_passed_to_the_webhook_and_its_permissions_are_not_rendered() -> None:
    objects = render(CASES["no ssh plugin"])
    parsed = webhook_settings.parse(container(of(objects, "Deployment", "-webhook"))["args"])
    assert parsed.disabled_plugins == ("ssh",)
    rules = of(objects, "ClusterRole", "-controller")["rules"]
    assert not [rule for rule in rules if "secrets" in rule["resources"]]
    assert [rule for rule in of(render(), "ClusterRole", "-controller")["rules"] if "secrets" in rule["resources"]]


def test_kinds_of_steps_are_passed_to_both_processes_and_only_their_permissions_are_rendered() -> None:
    objects = render(CASES["resource steps"])
    wanted = parse_kinds(json.dumps(CASES["resource steps"]["resourceSteps"]["kinds"]))
    webhook = webhook_settings.parse(container(of(objects, "Deployment", "-webhook"))["args"])
    controller = controller_settings.parse(container(of(objects, "Deployment", "-controller"))["args"], {})
    assert webhook.resource_kinds == controller.resource_kinds == wanted
    before, after = (of(one, "ClusterRole", "-controller")["rules"] for one in (render(), objects))
    added = [rule for rule in after if rule not in before]
    verbs = ["get", "list", "watch", "create", "patch", "delete"]
    assert added == [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": verbs},
        {"apiGroups": ["x.dev"], "resources": ["things"], "verbs": verbs},
    ]
    assert [rule for rule in before if rule not in after] == []


def test_the_network_policy_allows_only_the_api_server_and_probes() -> None:
    def egress(values: Body, component: str) -> list[Body]:
        found: list[Body] = of(render(values), "NetworkPolicy", f"-{component}")["spec"]["egress"]
        return found

    anywhere = {"ports": [{"port": 443, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}]}
    assert egress(CASES["network policy, any"], "webhook") == [anywhere]
    assert egress(CASES["network policy, any"], "controller") == [anywhere, {"to": [{"namespaceSelector": {}}]}]
    one = {"ports": [{"port": 16443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}]}
    assert egress(CASES["network policy for one API server"], "webhook") == [one]


@pytest.mark.parametrize("keep", [True, False])
def test_crds_are_complete_and_keep_their_resource_policy(keep: bool) -> None:
    rendered = [each for each in render({"crds": {"install": True, "keep": keep}}) if each["kind"] == CRD]
    source = [yaml.safe_load(path.read_text()) for path in sorted((CHART / "files/crds").glob("*.yaml"))]
    assert [each["spec"] for each in rendered] == [each["spec"] for each in source]
    kept = {(each["metadata"].get("annotations") or {}).get("helm.sh/resource-policy") for each in rendered}
    assert kept == {"keep" if keep else None}
    for each in rendered:
        kubernetes_validate.validate(each, "1.36", strict=True)


def test_only_the_crds_asked_for_are_installed() -> None:
    wanted = ["jobflows.flow.volcano.sh", "jobflowpolicies.policy.jobflow.dev"]
    objects = render({"crds": {"install": True, "include": wanted}})
    assert sorted(each["metadata"]["name"] for each in objects if each["kind"] == CRD) == sorted(wanted)


@pytest.mark.parametrize("component", ["webhook", "controller"])
def test_pods_have_a_restricted_security_context(component: str) -> None:
    deployment = of(render(), "Deployment", f"-{component}")
    pod, main = deployment["spec"]["template"]["spec"], container(deployment)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] >= 10_000
    assert main["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert deployment["spec"]["replicas"] == 2
    assert main["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert main["livenessProbe"]["httpGet"]["path"] == "/healthz"


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_every_referenced_object_is_rendered(values: Body) -> None:
    objects = render(values)
    accounts = {each["metadata"]["name"] for each in objects if each["kind"] == "ServiceAccount"}
    roles = {(each["kind"], each["metadata"]["name"]) for each in objects if each["kind"].endswith("Role")}
    pods = [each["spec"]["template"] for each in objects if each["kind"] == "Deployment"]
    assert {pod["spec"]["serviceAccountName"] for pod in pods} == accounts
    for each in objects:
        if each["kind"].endswith("RoleBinding"):
            assert (each["roleRef"]["kind"], each["roleRef"]["name"]) in roles
            assert {subject["name"] for subject in each["subjects"]} <= accounts
        for selector, ports in _selected(each):
            chosen = [pod for pod in pods if selector.items() <= pod["metadata"]["labels"].items()]
            assert len(chosen) == 1, (each["kind"], each["metadata"]["name"])
            assert ports <= {port["name"] for port in chosen[0]["spec"]["containers"][0]["ports"]}


def _selected(each: Body) -> list[tuple[Body, set[str]]]:
    """The pods that an object selects, and the named ports it wants of them."""
    spec = each.get("spec") or {}
    match each["kind"]:
        case "Service":
            return [(spec["selector"], {port["targetPort"] for port in spec["ports"]})]
        case "PodDisruptionBudget" | "Deployment":
            return [(spec["selector"]["matchLabels"], set())]
        case "NetworkPolicy":
            ports = {port["port"] for rule in spec["ingress"] for port in rule["ports"]}
            return [(spec["podSelector"]["matchLabels"], ports)]
    return []


@pytest.mark.parametrize("case", ["mirrored", "mirrored by the whole"])
def test_imageregistry_applies_to_every_image(case: str) -> None:
    objects = render(CASES[case] | {"webhook": {"image": {"digest": DIGEST}}})
    pods = [each["spec"]["template"]["spec"] for each in objects if each["kind"] == "Deployment"]
    pods += [each["spec"] for each in objects if each["kind"] == "Pod"]
    assert sorted(container["image"] for pod in pods for container in pod["containers"]) == [
        "registry.example.com/mirror/jobflow-controller:0.2.0",
        f"registry.example.com/mirror/jobflow-webhook@{DIGEST}",
        f"registry.example.com/mirror/jobflow-webhook@{DIGEST}",
    ]
    assert [pod["imagePullSecrets"] for pod in pods] == [[{"name": "pull"}]] * 3


def test_the_ca_of_cert_manager_outlives_the_certificates_it_signs() -> None:
    """A serving certificate that were its own CA would not be trusted from a renewal until the CA is injected."""
    objects = render(CASES["cert-manager"])
    serving, authority = of(objects, "Certificate", "-webhook")["spec"], of(objects, "Certificate", "-ca")["spec"]
    signer, root = of(objects, "Issuer", "-webhook"), of(objects, "Issuer", "-root")
    assert serving["issuerRef"]["name"] == signer["metadata"]["name"]
    assert signer["spec"]["ca"]["secretName"] == authority["secretName"] != serving["secretName"]
    assert authority["issuerRef"]["name"] == root["metadata"]["name"]
    assert authority["isCA"]
    assert _hours(authority["renewBefore"]) > _hours(serving["duration"]) > _hours(serving["renewBefore"])
    theirs = render(CASES["cert-manager with an issuer"])
    assert of(theirs, "Certificate")["spec"]["issuerRef"] == {"name": "ours", "kind": "ClusterIssuer"}
    assert not [each for each in theirs if each["kind"] == "Issuer"]


def _hours(text: str) -> int:
    return int(text.removesuffix("h"))


def test_notes_name_commands_of_this_release() -> None:
    text = run("install", "--dry-run=client", "one", str(CHART), "--namespace=jobs", "--set=crds.install=false")
    assert "kubectl -n jobs rollout status deployment/one-jobflow-controller" in text
