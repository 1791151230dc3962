"""Values that cannot work are refused with a message that names them."""

import json
import re
from collections.abc import Iterator

import jsonschema
import pytest
import yaml

from shared.model.types import Body
from tests.helm.cases import BUNDLE
from tests.helm.chart import CHART, HelmRefused, render


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
    "a misspelt affinity": {"webhook": {"affinity": {"nodeAffinty": {}}}},
    "a misspelt operator of a toleration": {"controller": {"tolerations": [{"operator": "Exist"}]}},
    "a misspelt effect of a toleration": {"web": {"tolerations": [{"effect": "NoExec"}]}},
    "a selector that is no label": {"controller": {"nodeSelector": {"disk": "very fast"}}},
    "a peer without a network": {"networkPolicy": {"apiServerTo": [{"ipBlock": {"cidr": "everywhere"}}]}},
    "a peer that is misspelt below": {"networkPolicy": {"webFrom": [{"ipBlock": {"cdir": "10.0.0.0/8"}}]}},
    "a peer whose label has a space": {
        "networkPolicy": {"webFrom": [{"podSelector": {"matchLabels": {"my app": "x"}}}]},
    },
    "namespaces of resource steps by a label with a space": {
        "resourceSteps": {
            "kinds": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "resource": "jobs",
                    "namespaceSelector": {"matchLabels": {"my team": "x"}},
                }
            ]
        }
    },
    "a negative budget": {"webhook": {"podDisruptionBudget": {"minAvailable": -1}}},
    "more replicas than a number holds": {"webhook": {"replicas": 2147483648}},
    "a scheduler with capitals": {"gang": {"podSchedulerName": "Default_Scheduler"}},
    "a first namespace with capitals": {"web": {"namespace": "Team-A"}},
    "a Gateway that is misspelt": {"web": {"httpRoute": {"parentRefs": [{"nmae": "public"}]}}},
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
        "webhook.podDisruptionBudget.minAvailable: 5 leaves none of webhook.replicas (2) that could be evicted; choose less",
    ),
    "a budget of the controller above the replicas": (
        {"controller": {"replicas": 3, "podDisruptionBudget": {"minAvailable": 4}}},
        "controller.podDisruptionBudget.minAvailable: 4 leaves none of controller.replicas (3) that could be evicted",
    ),
    "a budget of all replicas": (
        {"webhook": {"podDisruptionBudget": {"minAvailable": 2}}},
        "webhook.podDisruptionBudget.minAvailable: 2 leaves none of webhook.replicas (2) that could be evicted",
    ),
    "a percentage that is rounded up to all replicas": (
        {"webhook": {"podDisruptionBudget": {"minAvailable": "60%"}}},
        "webhook.podDisruptionBudget.minAvailable: 60% leaves none of webhook.replicas (2) that could be evicted",
    ),
    "a process without values": (
        {"webhook": None},
        "- webhook: missing; leave out what sets it to null, and upgrade with --reset-then-reuse-values",
    ),
    "several values set to null": (
        {"webhook": {"replicas": None, "image": None}, "gang": {"backend": None}},
        "- gang.backend, webhook.replicas, webhook.image: missing; leave out",
    ),
    "a request above the limit": (
        {"controller": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1500M"}}}},
        "controller.resources.requests.memory: 2Gi is more than the limit 1500M; raise the limit or lower the request",
    ),
    "a default request above the limit": (
        {"webhook": {"resources": {"limits": {"cpu": "50m"}}}},
        "webhook.resources.requests.cpu: 100m is more than the limit 50m",
    ),
    "a resource that is none": (
        {"webhook": {"resources": {"requests": {"memry": "1Gi"}}}},
        "webhook.resources.requests.memry: not a resource; use cpu, memory",
    ),
    "a device without a limit": (
        {"webhook": {"resources": {"requests": {"nvidia.com/gpu": 1}}}},
        "set webhook.resources.limits.nvidia.com/gpu to the same amount",
    ),
    "a quantity of the web pages": (
        {"web": {"resources": {"limits": {"memory": "1 GB"}}}},
        'web.resources.limits.memory: "1 GB" is not a quantity such as 500m or 1Gi',
    ),
    "an image of the web pages": (
        {"web": {"image": {"repository": "https://registry.example.com/web"}}},
        'web.image.repository: "https://registry.example.com/web" is not an image repository',
    ),
    "a registry with an empty part": ({"imageRegistry": "registry.example.com//x"}, "imageRegistry:"),
    "a pull secret in capitals": (
        {"imagePullSecrets": [{"name": "Pull_It"}]},
        'imagePullSecrets: "Pull_It" is not the name of a Secret',
    ),
    "an annotation with a space": (
        {"webhook": {"podAnnotations": {"a b": "c"}}},
        'webhook.podAnnotations: "a b" is not a key; use letters, digits',
    ),
    "an annotation of the account with a space": (
        {"serviceAccount": {"annotations": {"a b": "c"}}},
        'serviceAccount.annotations: "a b" is not a key',
    ),
    "a node label with a space": (
        {"controller": {"nodeSelector": {"a b": "c"}}},
        'controller.nodeSelector: "a b" is not a key',
    ),
    "an interval of nothing": (
        {"metrics": {"serviceMonitor": {"interval": "0s"}}},
        'metrics.serviceMonitor.interval: "0s" is no time at all',
    ),
    "a time-out of nothing": ({"gang": {"bindTimeout": "0m0s"}}, 'gang.bindTimeout: "0m0s" is no time at all'),
    "rules without their controller": (
        {"inProcess": {"rules": True}, "flowController": {"enabled": False}},
        "inProcess.rules: true has no effect while flowController.enabled is false",
    ),
    "a Secret that is not used": (
        {"certificates": {"existingSecret": "mine"}},
        'certificates.existingSecret: "mine" is not used while certificates.source is self; set source to existing',
    ),
    "an issuer that is not used": (
        {"certificates": {"issuerRef": {"name": "ours"}}},
        'certificates.issuerRef: {"name":"ours"} is not used while certificates.source is self',
    ),
    "a bundle that is not used": (
        {"certificates": {"source": "cert-manager", "caBundle": BUNDLE}},
        "certificates.caBundle is not used while certificates.source is cert-manager",
    ),
    "an Ingress without pages": (
        {"web": {"ingress": {"enabled": True}, "hosts": ["a.example"]}},
        "web.ingress.enabled: there are no pages while web.enabled is false",
    ),
    "an argument that the chart sets": (
        {"webhook": {"extraArgs": ["--port=1"]}},
        'webhook.extraArgs: the chart sets --port, and other objects depend on it; remove "--port=1"',
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
    "alerts without a Service": (
        {"metrics": {"service": False, "prometheusRule": {"enabled": True}}},
        "metrics.prometheusRule.enabled needs metrics.service",
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


def test_the_values_that_must_not_be_null_are_those_with_a_default() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    listed = (CHART / "files" / "required-values.txt").read_text().split()
    assert listed == [path for path in needed(values) if path != "priorityClassName"]


def needed(values: Body, prefix: str = "") -> Iterator[str]:
    """Dotted paths of the sections and of the values whose default is not empty; resources and labels may be removed."""
    for key, value in values.items():
        if value and key not in ("resources", "labels"):
            yield prefix + key
            if isinstance(value, dict):
                yield from needed(value, f"{prefix}{key}.")


def test_every_value_is_in_the_schema_and_the_defaults_pass_it() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    jsonschema.Draft7Validator(schema).validate(values)
    assert set(values) | {"global"} == set(schema["properties"])
