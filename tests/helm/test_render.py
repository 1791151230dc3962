"""Every switch of values.yaml renders objects that Kubernetes accepts."""

import base64
import functools
import json
import re

import jsonschema
import kubernetes_validate
import pytest
import yaml

from controller import settings as controller_settings
from local import admission_policies
from shared.model.types import Body
from shared.resource_steps.allowed import parse_kinds
from tests.helm.chart import CHART, CLUSTER_SCOPED, NAMESPACE, HelmRefused, container, of, render, run
from web import arguments as web_arguments
from webhook import settings as webhook_settings

CRD = "CustomResourceDefinition"
EXTERNAL = {
    "monitoring.coreos.com/v1",
    "cert-manager.io/v1",
    "gateway.networking.k8s.io/v1",
}  # no part of Kubernetes: only their shape is looked at
PLACEMENT = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "podAnnotations": {"team": "batch"},
    "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}},
    "image": {"repository": "registry.example.com/a/b", "tag": "1.2.3", "pullPolicy": "Always"},
    "logLevel": "debug",
    "replicas": 5,
}

BUNDLE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n").decode()
CASES: dict[str, Body] = {
    "as it comes": {},
    "names": {"nameOverride": "flows", "commonLabels": {"team": "batch"}, "imagePullSecrets": [{"name": "pull"}]},
    "whole name": {"fullnameOverride": "our-flows", "priorityClassName": ""},
    "Volcano's Jobs": {"jobController": {"enabled": False}},
    "Volcano's flows": {"flowController": {"enabled": False}},
    "only schedules": {"jobController": {"enabled": False}, "flowController": {"enabled": False}},
    "gang volcano": {"gang": {"backend": "volcano"}},
    "gang native": {"gang": {"backend": "native", "podSchedulerName": "mine"}},
    "gang gate": {"gang": {"backend": "gate"}},
    "schedulers": {"schedulerNames": ["volcano", "other"], "dependsOnCondition": "Ready"},
    "rules in process": {"inProcess": {"rules": True}, "webhook": {"mode": "Off"}},
    "lenient": {"webhook": {"mode": "Lenient", "timeoutSeconds": 3}},
    "webhook off": {"webhook": {"mode": "Off"}, "networkPolicy": {"enabled": True}},
    "webhook off, monitored": {"webhook": {"mode": "Off"}, "metrics": {"serviceMonitor": {"enabled": True}}},
    "pods checked": {"webhook": {"validatePods": True, "excludedNamespaces": ["kube-system", "flux"]}},
    "nowhere excluded": {"webhook": {"excludedNamespaces": []}},
    "ports": {"webhook": {"port": 9443, "healthPort": 9081}, "controller": {"healthPort": 9080}},
    "placement": {"webhook": PLACEMENT, "controller": PLACEMENT},
    "one replica": {"webhook": {"replicas": 1}, "controller": {"replicas": 1}},
    "controller at rest": {"controller": {"replicas": 0}},
    "percentage": {"webhook": {"podDisruptionBudget": {"enabled": True, "minAvailable": "50%"}}},
    "no budget": {"webhook": {"podDisruptionBudget": {"enabled": False}}},
    "extra": {"webhook": {"extraArgs": ["--drain-seconds=9"]}, "controller": {"extraArgs": ["--reclaim"]}},
    "throttled": {"controller": {"workers": 4, "probeConcurrency": 8, "qps": 12.5, "watchNamespaces": ["a", "b"]}},
    "cert-manager": {"certificates": {"source": "cert-manager"}},
    "cert-manager with an issuer": {
        "certificates": {"source": "cert-manager", "issuerRef": {"name": "ours", "kind": "ClusterIssuer"}}
    },
    "existing": {"certificates": {"source": "existing", "existingSecret": "mine", "caBundle": BUNDLE}},
    "existing, read later": {"certificates": {"source": "existing", "existingSecret": "mine"}},
    "accounts": {"serviceAccount": {"annotations": {"iam.example.com/role": "x"}}},
    "no metrics": {"metrics": {"service": False}},
    "all metrics": {
        "metrics": {
            "serviceMonitor": {"enabled": True, "interval": "15s", "labels": {"release": "prom"}},
            "prometheusRule": {"enabled": True, "labels": {"release": "prom"}},
            "grafanaDashboard": {"enabled": True},
        }
    },
    "network policy": {"networkPolicy": {"enabled": True, "webhookFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}},
    "network policy for one API server": {
        "networkPolicy": {
            "enabled": True,
            "apiServerPorts": [16443],
            "apiServerTo": [{"ipBlock": {"cidr": "10.1.2.3/32"}}],
        }
    },
    "no ssh plugin": {"sshPlugin": {"enabled": False}},
    "resource steps": {
        "resourceSteps": {
            "kinds": [
                {"apiVersion": "batch/v1", "kind": "Job", "resource": "jobs"},
                {
                    "apiVersion": "x.dev/v1",
                    "kind": "Thing",
                    "resource": "things",
                    "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a b"]}]},
                },
            ]
        }
    },
    "network policy, any": {"networkPolicy": {"enabled": True}},
    "flow schema": {"flowSchema": {"enabled": True}},
    "web": {"web": {"enabled": True}},
    "web, all": {
        "web": {
            "enabled": True,
            "signIn": "proxy",
            "hosts": ["flows.example.com", "other.example.com"],
            "basePath": "/jobflow",
            "namespace": "team-a",
            "readOnly": True,
            "ingress": {"enabled": True, "className": "nginx", "annotations": {"a": "b"}, "tlsSecret": "own"},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]},
            "tls": {"enabled": True, "existingSecret": "mine"},
        },
        "networkPolicy": {"enabled": True, "webFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    },
    "web behind a proxy that ends TLS": {"web": {"enabled": True, "tls": {"enabled": False}}},
    "web with cert-manager": {"web": {"enabled": True}, "certificates": {"source": "cert-manager"}},
    "web with cert-manager, no webhook": {
        "web": {"enabled": True},
        "certificates": {"source": "cert-manager"},
        "webhook": {"mode": "Off"},
    },
    "roles apart": {"aggregateRoles": False},
    "test image": {"test": {"image": {"repository": "python", "tag": "3.13-slim"}}},
    "global": {"global": {"anything": "goes"}},
    "mirrored": {"imageRegistry": "registry.example.com/mirror", "imagePullSecrets": [{"name": "pull"}]},
    "mirrored by the whole": {
        "global": {"imageRegistry": "registry.example.com/mirror/", "imagePullSecrets": [{"name": "pull"}]}
    },
}


@pytest.mark.parametrize("tool", ["helm", "helm3"])
def test_the_chart_passes_lint(tool: str) -> None:
    assert "0 chart(s) failed" in run("lint", "--strict", str(CHART), tool=tool)


BOTH = ("as it comes", "all metrics", "placement", "cert-manager", "existing", "only schedules")


@pytest.mark.parametrize("case", BOTH)
def test_helm_3_renders_what_helm_4_renders(case: str) -> None:
    here, there = (render(CASES[case], crds=True, tool=tool) for tool in ("helm", "helm3"))
    assert {identity(each): each for each in here} == {identity(each): each for each in there}


def identity(each: Body) -> tuple[str, str]:
    return each["kind"], each["metadata"]["name"]


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


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ingress": {"enabled": True}}, "web.hosts: an Ingress or HTTPRoute needs"),
        ({"httpRoute": {"enabled": True}, "hosts": ["a.example"]}, "web.httpRoute.parentRefs"),
        ({"tls": {"enabled": False, "existingSecret": "x"}}, "web.tls.existingSecret"),
        ({"basePath": "jobflow/"}, "basePath"),
        ({"basePath": "/a/../b"}, "basePath"),
        ({"signIn": "anonymous"}, "signIn"),
    ],
)
def test_web_values_that_cannot_work_are_refused(values: Body, words: str) -> None:
    with pytest.raises(HelmRefused, match=re.escape(words)):
        render({"web": {"enabled": True, **values}})


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


DIGEST = f"sha256:{'a' * 64}"
WRONG: dict[str, Body] = {
    "misspelt at the top": {"replica": 3},
    "misspelt below": {"webhook": {"replica": 3}},
    "misspelt deep": {"metrics": {"serviceMonitor": {"enable": True}}},
    "a mode that is none": {"webhook": {"mode": "enforce"}},
    "a backend that is none": {"gang": {"backend": "kueue"}},
    "a source that is none": {"certificates": {"source": "letsencrypt"}},
    "a number as text": {"controller": {"workers": "many"}},
    "a switch as text": {"jobController": {"enabled": "no"}},
    "no time at all": {"webhook": {"timeoutSeconds": 0}},
    "more time than the API server gives": {"webhook": {"timeoutSeconds": 31}},
    "a port that needs root": {"webhook": {"port": 443}},
    "no scheduler": {"schedulerNames": []},
    "a webhook at rest": {"webhook": {"replicas": 0}},
    "a digest that is none": {"webhook": {"image": {"digest": "latest"}}},
    "existing without a Secret": {"certificates": {"source": "existing"}},
}


# The error messages of helm for values that cannot work.
SENTENCES: dict[str, tuple[Body, str]] = {
    "a misspelt CRD": (
        {"crds": {"include": ["jobflow.flow.volcano.sh"]}},
        'crds.include: the chart has no CRD "jobflow.flow.volcano.sh"; it has commands.bus.volcano.sh',
    ),
    "one port twice": (
        {"webhook": {"port": 9000, "healthPort": 9000}},
        "webhook.port and webhook.healthPort are both 9000; choose two ports",
    ),
    "the port of the metrics": (
        {"webhook": {"servicePort": 8081}},
        "webhook.servicePort: 8081 is the port of the metrics in the same Service",
    ),
    "a budget above the replicas": (
        {"webhook": {"podDisruptionBudget": {"minAvailable": 5}}},
        "webhook.podDisruptionBudget.minAvailable: 5 is more than webhook.replicas (2); no pod could ever be evicted",
    ),
    "a budget of the controller above the replicas": (
        {"controller": {"replicas": 3, "podDisruptionBudget": {"minAvailable": 4}}},
        "controller.podDisruptionBudget.minAvailable: 4 is more than controller.replicas (3)",
    ),
    "a budget that is no percentage": (
        {"webhook": {"podDisruptionBudget": {"minAvailable": "half"}}},
        'webhook.podDisruptionBudget.minAvailable: "half" is neither a number nor a percentage such as "50%"',
    ),
    "a namespace with capitals": (
        {"webhook": {"excludedNamespaces": ["kube-system", "Team-A"]}},
        'webhook.excludedNamespaces: "Team-A" is not the name of a namespace',
    ),
    "a watched namespace with capitals": (
        {"controller": {"watchNamespaces": ["Team-A"]}},
        'controller.watchNamespaces: "Team-A" is not the name of a namespace',
    ),
    "a ServiceMonitor without Service": (
        {"metrics": {"service": False, "serviceMonitor": {"enabled": True}}},
        "metrics.serviceMonitor.enabled needs metrics.service",
    ),
    "no controller": (
        {name: {"enabled": False} for name in ("jobController", "flowController", "cronController")},
        "jobController.enabled, flowController.enabled and cronController.enabled are all false; enable at least one",
    ),
    "a name in capitals": ({"fullnameOverride": "UPPER_x"}, 'fullnameOverride: "UPPER_x" is not a Kubernetes name'),
    "a short name in capitals": ({"nameOverride": "X"}, 'nameOverride: "X" is not a Kubernetes name'),
    "a bundle that is not base64": (
        {"certificates": {"source": "existing", "existingSecret": "s", "caBundle": "notbase64"}},
        "certificates.caBundle is not base64 of PEM certificates; encode the file with `base64 -w0 ca.crt`",
    ),
    "a bundle that is not PEM": (
        {"certificates": {"source": "existing", "existingSecret": "s", "caBundle": "QUJD"}},
        "certificates.caBundle is not base64 of PEM certificates",
    ),
    "a bundle that was not encoded": (
        {"certificates": {"caBundle": "-----BEGIN CERTIFICATE-----"}},
        "certificates.caBundle is not base64 of PEM certificates",
    ),
    "existing without a Secret": (
        {"certificates": {"source": "existing"}},
        "certificates.existingSecret must name the Secret when certificates.source is existing",
    ),
    "an issuer without a name": (
        {"certificates": {"source": "cert-manager", "issuerRef": {"kind": "Issuer"}}},
        "certificates.issuerRef needs a name",
    ),
    "memory that is no quantity": (
        {"webhook": {"resources": {"limits": {"memory": "banana"}}}},
        'webhook.resources.limits.memory: "banana" is not a quantity such as 500m or 1Gi',
    ),
    "misspelt resources": (
        {"controller": {"resources": {"request": {"cpu": 1}}}},
        "controller.resources.request: unknown; use requests and limits",
    ),
    "a registry with a scheme": (
        {"imageRegistry": "https://registry.example.com"},
        'imageRegistry: "https://registry.example.com" is not a registry such as registry.example.com/batch',
    ),
    "a repository in capitals": (
        {"webhook": {"image": {"repository": "Jobflow"}}},
        'webhook.image.repository: "Jobflow" is not an image repository',
    ),
    "a pull secret without a name": ({"imagePullSecrets": [{"secret": "x"}]}, "has no name; write {name: SECRET}"),
    "a label that the chart selects by": (
        {"commonLabels": {"app.kubernetes.io/instance": "x"}},
        'commonLabels: "app.kubernetes.io/instance" is set by the chart',
    ),
    "a label that is none": ({"commonLabels": {"team": "a b"}}, 'commonLabels: team="a b" is not a label'),
    "an interval that is none": (
        {"metrics": {"serviceMonitor": {"interval": "often"}}},
        'metrics.serviceMonitor.interval: "often" is not a duration such as 30s',
    ),
    "a kind that grants rights": (
        {
            "resourceSteps": {
                "kinds": [{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "resource": "roles"}]
            }
        },
        "resourceSteps.kinds: rbac.authorization.k8s.io/v1 Role is never allowed; remove it",
    ),
    "a scheduler with a comma": ({"schedulerNames": ["a,b"]}, 'schedulerNames: "a,b" is not the name of a scheduler'),
    "a peer that is none": (
        {"networkPolicy": {"webhookFrom": [{"cidr": "10.0.0.0/8"}]}},
        "is not a peer; use ipBlock, namespaceSelector or podSelector",
    ),
}


@pytest.mark.parametrize("case", SENTENCES)
@pytest.mark.parametrize("tool", ["helm", "helm3"])
def test_invalid_values_are_refused_with_a_message(case: str, tool: str) -> None:
    values, sentence = SENTENCES[case]
    with pytest.raises(HelmRefused, match=re.escape(sentence)):
        render(values, tool=tool)


def test_all_faults_of_values_are_reported_at_once() -> None:
    with pytest.raises(HelmRefused) as refused:
        render({"fullnameOverride": "X", "webhook": {"port": 9000, "healthPort": 9000}})
    assert "fullnameOverride" in str(refused.value)
    assert "webhook.port" in str(refused.value)


@pytest.mark.parametrize("values", WRONG.values(), ids=WRONG)
def test_wrong_values_are_refused_by_name(values: Body) -> None:
    key = next(iter(values))
    with pytest.raises(HelmRefused, match=key):
        render(values)


def test_every_value_is_in_the_schema_and_the_defaults_pass_it() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    jsonschema.Draft7Validator(schema).validate(values)
    assert set(values) | {"global"} == set(schema["properties"])


def test_notes_name_commands_of_this_release() -> None:
    text = run("install", "--dry-run=client", "one", str(CHART), "--namespace=jobs", "--set=crds.install=false")
    assert "kubectl -n jobs rollout status deployment/one-jobflow-controller" in text
