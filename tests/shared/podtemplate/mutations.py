"""Random pod templates: valid ones of many kinds, with one to three fields set to valid, borderline or wrong values.

Fields come from Kubernetes' schema, so that every field of a pod is reached. Each number of a seed gives one template.
"""

from copy import deepcopy
from random import Random
from typing import Any, Final

from shared.podtemplate.schema import TEMPLATE, definitions

_PREFIX: Final = "io.k8s.api.core.v1."
_LEFT_ALONE: Final = frozenset(
    {
        # Objects of the cluster decide about these, or other admission plugins.
        "priority", "priorityClassName", "runtimeClassName", "overhead", "serviceAccount", "serviceAccountName",
        "ephemeralContainers", "schedulingGroup", "nodeName",
        # Metadata that the controller does not take from a template.
        "name", "namespace", "generateName", "uid", "ownerReferences", "managedFields", "finalizers",
    }
)  # fmt: skip
_TEXTS: Final = (
    "", "a", "a-b", "a.b", "a/b", "a/b/c", "A", "A_b", "-a", "a-", " a", "a b", ".", "..", "../a", "a/../b", "..a", "/a", "/a:b",
    "1", "0", "-1", "a:b", "a" * 15, "a" * 16, "a" * 63, "a" * 64, "a" * 253, "a" * 254, "example.com/a", "Example.com/a", "kubernetes.io/a",
    "é", "a\n", "*", "10.0.0.1", "::1", "010.0.0.1", "300.0.0.1", "c", "v", "w", "Always", "Never", "OnFailure", "None",
    "TCP", "HTTP", "10m", "1Gi", "$(A)", "http", "spec.nodeName", "limits.cpu", "metadata.name", "metadata.labels['a']",
)  # fmt: skip
_CHOICES: Final = {
    "restartPolicy": ("Always", "Never", "OnFailure", ""),
    "dnsPolicy": ("ClusterFirst", "None", "Default", "ClusterFirstWithHostNet", ""),
    "operator": ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Equal", "", "in"),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute", ""),
    "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway", ""),
    "nodeAffinityPolicy": ("Honor", "Ignore", ""),
    "nodeTaintsPolicy": ("Honor", "Ignore", ""),
    "type": ("Localhost", "RuntimeDefault", "Unconfined", "Directory", "", "File"),
    "imagePullPolicy": ("Always", "Never", "IfNotPresent", ""),
    "pullPolicy": ("Always", "Never", "IfNotPresent", ""),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError", ""),
    "mountPropagation": ("None", "Bidirectional", "HostToContainer", ""),
    "recursiveReadOnly": ("Disabled", "Enabled", "IfPossible", ""),
    "protocol": ("TCP", "UDP", "SCTP", ""),
    "scheme": ("HTTP", "HTTPS", ""),
    "procMount": ("Default", "Unmasked", ""),
    "fsGroupChangePolicy": ("Always", "OnRootMismatch", ""),
    "supplementalGroupsPolicy": ("Merge", "Strict", ""),
    "seLinuxChangePolicy": ("MountOption", "Recursive", ""),
    "preemptionPolicy": ("Never", "PreemptLowerPriority", ""),
    "resourceName": ("cpu", "memory", "ephemeral-storage", ""),
    "medium": ("", "Memory", "HugePages", "HugePages-2Mi"),
    "action": ("Restart", "RestartAllContainers", ""),
    "keyType": ("ED25519", "RSA3072", "ECDSAP256", ""),
    "stopSignal": ("SIGTERM", "SIGKILL", "SIGNONE", ""),
    "fieldPath": ("metadata.name", "metadata.uid", "spec.nodeName", "status.podIP", "spec.host", "metadata.labels", "metadata.labels['a']",
                  "metadata.annotations['A']", "status.phase", ""),
    "resource": ("limits.cpu", "requests.memory", "limits.ephemeral-storage", "limits.hugepages-2Mi", "cpu", "limits.example.com/x", ""),
    "divisor": ("1", "1m", "1Mi", "2", "1Gi", "0", "x"),
    "containerName": ("c", "d", "i", ""),
    "topologyKey": ("kubernetes.io/hostname", "a", "", "a/b/c"),
    "accessModes": ("ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod", ""),
    "volumeMode": ("Block", "Filesystem", ""),
}  # fmt: skip
_NUMBERS: Final = (-1, 0, 1, 2, 3, 30, 80, 100, 101, 511, 512, 65535, 65536, 2**31 - 1, 2**31, 2**40)
_QUANTITIES: Final = ("1", "2", "500m", "1Gi", "-1", "0", "", "x", "1.5", "1e3", 1, 0.5, "100Mi", "3Mi", "2Mi")
_KEYS: Final = (
    "a", "example.com/a", "A_b", "a/b/c", "cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "example.com/gpu", "requests.x/y", "pods",
    "storage", "", "-a",
)  # fmt: skip
_ANNOTATIONS: Final = (
    "a", "A/b", "a b", "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/c",
    "container.apparmor.security.beta.kubernetes.io/c", "container.apparmor.security.beta.kubernetes.io/x",
    "controller.kubernetes.io/pod-deletion-cost", "scheduler.alpha.kubernetes.io/tolerations", "kubernetes.io/config.mirror",
)  # fmt: skip
_ANNOTATION_VALUES: Final = (
    "", "runtime/default", "docker/default", "unconfined", "localhost/a", "localhost/../a", "localhost/", "1", "-5", "01", "x", "3000000000",
    "[]", "[{}]", '[{"key": "a", "operator": "Exists"}]',
)  # fmt: skip
_DEEPEST: Final = 12


def template(seed: int) -> dict[str, Any]:
    """The template of this number."""
    random = Random(seed)
    made = deepcopy(random.choice(BASES))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        _mutate(random, made)
    return made


def _mutate(random: Random, made: dict[str, Any]) -> None:
    """Walk down from the top through fields, mostly existing ones, and set, remove or repeat what is reached."""
    holder, schema, name = made, definitions()[TEMPLATE], ""
    for depth in range(_DEEPEST):
        names = [each for each in schema.get("properties", ()) if depth > 1 or each not in _LEFT_ALONE]
        if depth == 1 and name == "metadata":
            names = ["labels", "annotations"]  # the controller takes no others from a template
        if not names:
            break
        there = [each for each in names if each in holder]
        name = random.choice(there) if there and random.random() < 0.75 else random.choice(names)
        if depth == 0:
            name = "spec" if random.random() < 0.93 else "metadata"
        field = _resolved(schema["properties"][name])
        below = holder.get(name)
        if (depth and random.random() < (0.06 if depth < 2 else 0.3)) or not _is_container(field):
            holder[name] = _value(random, field, name)
            if random.random() < 0.15:
                del holder[name]
            return
        if "items" in field:
            item = _resolved(field["items"])
            if not isinstance(below, list) or not below:
                below = holder[name] = [_value(random, item, name)]
            elif random.random() < 0.12:
                below.append(deepcopy(random.choice(below)) if random.random() < 0.5 else _value(random, item, name))
                return
            index = random.randrange(len(below))
            if "properties" not in item:
                below[index] = _value(random, item, name)
                return
            if not isinstance(below[index], dict):
                below[index] = {}
            holder, schema = below[index], item
        elif "properties" in field:
            if not isinstance(below, dict):
                below = holder[name] = {}
            holder, schema = below, field
        else:
            if not isinstance(below, dict):
                below = holder[name] = {}
            if name == "annotations" and depth < 3:
                key = random.choice(_ANNOTATIONS)
                below[key] = random.choice(_ANNOTATION_VALUES)
                return
            key = random.choice([*below, *_KEYS]) if below else random.choice(_KEYS)
            below[key] = _value(random, _resolved(field.get("additionalProperties") or {}), name)
            return


def _is_container(field: dict[str, Any]) -> bool:
    return "properties" in field or "items" in field or isinstance(field.get("additionalProperties"), dict)


def _value(random: Random, field: dict[str, Any], name: str) -> Any:
    if random.random() < 0.01:
        return random.choice((None, 5, "x", True, [], {}, 1.5))
    if "oneOf" in field:
        return random.choice(_QUANTITIES if "number" in str(field) else (*_NUMBERS, "http", "a-b", "80", "", "a" * 16))
    kinds = field.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "string":
        return random.choice(_CHOICES[name] if name in _CHOICES and random.random() < 0.9 else _TEXTS)
    if kind == "integer":
        return random.choice(_NUMBERS)
    if kind == "boolean":
        return random.random() < 0.5
    if kind == "array":
        item = _resolved(field["items"])
        return [_value(random, item, name) for _ in range(random.choice((0, 1, 1, 2)))]
    if "properties" in field:
        return _object(random, field)
    if isinstance(field.get("additionalProperties"), dict):
        inner = _resolved(field["additionalProperties"])
        return {random.choice(_KEYS): _value(random, inner, name) for _ in range(random.choice((0, 1, 2)))}
    return {}


def _object(random: Random, field: dict[str, Any]) -> dict[str, Any]:
    """An object with its required fields and a few others."""
    names = [each for each in field["properties"] if each in field.get("required", ())]
    others = [each for each in field["properties"] if each not in names]
    names += random.sample(others, min(len(others), random.choice((0, 1, 1, 2))))
    return {each: _value(random, _resolved(field["properties"][each]), each) for each in names}


def _resolved(field: dict[str, Any]) -> dict[str, Any]:
    reference = field.get("$ref")
    return definitions()[reference.rpartition("/")[2]] if reference else field


_CONTAINER: Final = {"name": "c", "image": "i"}
_RICH: Final[dict[str, Any]] = {
    "metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}},
    "spec": {
        "restartPolicy": "Never",
        "volumes": [
            {"name": "v", "emptyDir": {}},
            {"name": "w", "configMap": {"name": "m", "items": [{"key": "a", "path": "b"}]}},
        ],
        "initContainers": [
            {"name": "i", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            {"name": "s", "image": "i", "restartPolicy": "Always", "startupProbe": {"exec": {"command": ["x"]}}},
        ],
        "containers": [
            {
                "name": "c",
                "image": "i",
                "env": [
                    {"name": "A", "value": "b"},
                    {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                    {"name": "D", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "m"}}],
                "ports": [{"name": "http", "containerPort": 80}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
                "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w", "subPath": "a"}],
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 5},
                "readinessProbe": {"tcpSocket": {"port": 80}},
                "lifecycle": {"preStop": {"exec": {"command": ["x"]}}},
                "securityContext": {"runAsUser": 1, "capabilities": {"drop": ["ALL"]}},
            },
            {"name": "d", "image": "j", "resources": {"limits": {"cpu": "1"}}},
        ],
        "securityContext": {"runAsNonRoot": True, "fsGroup": 1, "seccompProfile": {"type": "RuntimeDefault"}},
    },
}
_PLACED: Final[dict[str, Any]] = {
    "spec": {
        "containers": [_CONTAINER],
        "nodeSelector": {"a": "b"},
        "tolerations": [{"key": "a", "operator": "Exists"}, {"key": "b", "value": "c", "effect": "NoExecute", "tolerationSeconds": 5}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]
                },
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}
                ],
            },
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}
                ],
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "podAffinityTerm": {"topologyKey": "a", "labelSelector": {"matchLabels": {"a": "b"}}}}
                ],
            },
        },
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"a": "b"}}}
        ],
        "schedulingGates": [{"name": "example.com/a"}],
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.1"], "searches": ["a.b"], "options": [{"name": "x", "value": "1"}]},
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}],
        "readinessGates": [{"conditionType": "a"}],
        "os": {"name": "linux"},
        "hostname": "a",
        "subdomain": "b",
        "imagePullSecrets": [{"name": "a"}],
    },
}  # fmt: skip
_POD_LEVEL: Final[dict[str, Any]] = {
    "spec": {
        "resources": {"limits": {"cpu": "4", "memory": "4Gi"}, "requests": {"cpu": "2", "memory": "1Gi"}},
        "initContainers": [{"name": "s", "image": "i", "restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}}],
        "containers": [
            {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}},
            {"name": "d", "image": "i", "resources": {"requests": {"cpu": "500m", "memory": "100Mi"}}},
        ],
    },
}  # fmt: skip
_VOLUMES: Final[dict[str, Any]] = {
    "spec": {
        "containers": [_CONTAINER | {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
        "volumes": [
            {"name": "v", "projected": {"sources": [
                {"secret": {"name": "s"}},
                {"configMap": {"name": "m"}},
                {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}},
            ]}},
            {"name": "d", "downwardAPI": {"items": [{"path": "a", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}}]}},
            {"name": "h", "hostPath": {"path": "/h", "type": "Directory"}},
            {"name": "p", "persistentVolumeClaim": {"claimName": "p"}},
            {"name": "n", "nfs": {"server": "s", "path": "/p"}},
            {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}},
            {"name": "x", "csi": {"driver": "example.com"}},
            {"name": "y", "image": {"reference": "r", "pullPolicy": "Always"}},
        ],
    },
}  # fmt: skip
_HOST: Final[dict[str, Any]] = {
    "spec": {
        "hostNetwork": True,
        "hostPID": True,
        "dnsPolicy": "ClusterFirstWithHostNet",
        "containers": [_CONTAINER | {
            "ports": [{"containerPort": 80, "hostPort": 80}],
            "securityContext": {"privileged": True, "seccompProfile": {"type": "Unconfined"}},
        }],
        "securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]},
    },
}  # fmt: skip
BASES: Final = (
    {"spec": {"containers": [_CONTAINER]}}, _RICH, _RICH, _RICH, _PLACED, _PLACED, _POD_LEVEL, _VOLUMES, _VOLUMES, _HOST,
)  # fmt: skip
