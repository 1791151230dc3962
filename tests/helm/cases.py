"""Sets of values for the tests of the chart."""

import base64

from shared.model.types import Body

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


def identity(each: Body) -> tuple[str, str]:
    return each["kind"], each["metadata"]["name"]


DIGEST = f"sha256:{'a' * 64}"
