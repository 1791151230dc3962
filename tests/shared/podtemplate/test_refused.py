"""Templates from which no pod can be created, and the error messages. The texts are those of kube-apiserver 1.36 where
it has one."""

import pytest

from shared.podtemplate import check_template
from tests.shared.podtemplate.make import template

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
INIT_ONLY = "may not be set for init containers without restartPolicy=Always"
REQUIRED_TERMS = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution"


def node_rule(**rule) -> dict:
    return {"nodeAffinity": {REQUIRED_TERMS: {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}}}


# path in the template, value there -> faults without the leading "spec." (C: of the first container)
REFUSED = {
    "no containers": ("spec.containers", [], ["containers: Required value"]),
    "container without name": ("c.name", "", ["C.name: Required value"]),
    "container name": ("c.name", "A_b", [f'C.name: Invalid value: "A_b": {LABEL}']),
    "container name with dots": ("c.name", "a.b", ['C.name: Invalid value: "a.b": must not contain dots']),
    "container name too long": (
        "c.name",
        "x" * 64,
        [f'C.name: Invalid value: "{"x" * 64}": must be no more than 63 characters'],
    ),
    "container name twice": (
        "spec.initContainers",
        [{"name": "c", "image": "i"}],
        ['initContainers[0].name: Duplicate value: "c"'],
    ),
    "container is null": (
        "spec.initContainers",
        [None],
        ["initContainers[0].name: Required value", "initContainers[0].image: Required value"],
    ),
    "ephemeral containers": (
        "spec.ephemeralContainers",
        [{"name": "debug", "image": "i"}],
        ["ephemeralContainers: Forbidden: cannot be set on create"],
    ),
    "no image": ("c.image", None, ["C.image: Required value"]),
    "image with a blank": (
        "c.image",
        " i",
        ['C.image: Invalid value: " i": must not have leading or trailing whitespace'],
    ),
    "image is a number": ("c.image", 5, ["C.image: Invalid value: 5: must be of type string, not integer"]),
    "pull policy": (
        "c.imagePullPolicy",
        "always",
        ['C.imagePullPolicy: Unsupported value: "always": supported values: "Always", "IfNotPresent", "Never"'],
    ),
    "message policy": (
        "c.terminationMessagePolicy",
        "X",
        ['C.terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"'],
    ),
    "command with a number": (
        "c.command",
        ["sleep", 10],
        ["C.command[1]: Invalid value: 10: must be of type string, not integer"],
    ),
    "request above limit": (
        "c.resources",
        {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}},
        ['C.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ),
    "quantity": (
        "c.resources",
        {"limits": {"memory": "1GB"}},
        [f'C.resources.limits[memory]: Invalid value: "1GB": {QUANTITY}'],
    ),
    "negative quantity": (
        "c.resources",
        {"requests": {"cpu": -1}},
        ['C.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    "quantity is a boolean": (
        "c.resources",
        {"limits": {"cpu": True}},
        ["C.resources.limits[cpu]: Invalid value: true: must be of type string or number, not boolean"],
    ),
    "part of a device": (
        "c.resources",
        {"limits": {"nvidia.com/gpu": "0.5"}},
        ['C.resources.limits[nvidia.com/gpu]: Invalid value: "0.5": must be an integer'],
    ),
    "device without limit": (
        "c.resources",
        {"requests": {"x/gpu": 1}},
        ["C.resources.limits: Required value: Limit must be set for non overcommitable resources"],
    ),
    "device request below limit": (
        "c.resources",
        {"requests": {"x/gpu": 1}, "limits": {"x/gpu": 2}},
        ['C.resources.requests: Invalid value: "1": must be equal to x/gpu limit of 2'],
    ),
    "unknown resource": (
        "c.resources",
        {"limits": {"gpu": 1}},
        ['C.resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers'],
    ),
    "huge pages alone": (
        "c.resources",
        {"limits": {"hugepages-2Mi": "4Mi"}},
        ["C.resources: Forbidden: HugePages require cpu or memory"],
    ),
    "part of a huge page": (
        "c.resources",
        {"limits": {"hugepages-2Mi": "3Mi", "cpu": 1}},
        [
            'C.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi'
        ],
    ),
    "unknown claim": (
        "c.resources",
        {"claims": [{"name": "x"}]},
        ['C.resources.claims[0]: Not found: "x": must be one of the names in pod.spec.resourceClaims'],
    ),
    "port zero": ("c.ports", [{"containerPort": 0}], ["C.ports[0].containerPort: Required value"]),
    "port too high": (
        "c.ports",
        [{"containerPort": 70000}],
        ["C.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    "port as text": (
        "c.ports",
        [{"containerPort": "80"}],
        ['C.ports[0].containerPort: Invalid value: "80": must be of type integer, not string'],
    ),
    "port name": (
        "c.ports",
        [{"containerPort": 80, "name": "this-is-too-long-a-name"}],
        ['C.ports[0].name: Invalid value: "this-is-too-long-a-name": must be no more than 15 characters'],
    ),
    "port name without letter": (
        "c.ports",
        [{"containerPort": 80, "name": "80"}],
        ['C.ports[0].name: Invalid value: "80": must contain at least one letter (a-z)'],
    ),
    "port name twice": (
        "c.ports",
        [{"containerPort": 80, "name": "http"}, {"containerPort": 81, "name": "http"}],
        ['C.ports[1].name: Duplicate value: "http"'],
    ),
    "protocol": (
        "c.ports",
        [{"containerPort": 80, "protocol": "tcp"}],
        ['C.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"'],
    ),
    "host port twice": (
        "c.ports",
        [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}],
        ['C.ports[1].hostPort: Duplicate value: "TCP//80"'],
    ),
    "variable without name": ("c.env", [{"value": "x"}], ["C.env[0].name: Required value"]),
    "variable with a number": (
        "c.env",
        [{"name": "a", "value": 1}],
        ["C.env[0].value: Invalid value: 1: must be of type string, not integer"],
    ),
    "variable name": (
        "c.env",
        [{"name": "a=b"}],
        [
            "C.env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='"
        ],
    ),
    "variable with value and source": (
        "c.env",
        [{"name": "a", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        ['C.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ),
    "variable without source": (
        "c.env",
        [{"name": "a", "valueFrom": {}}],
        [
            'C.env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
        ],
    ),
    "variable with two sources": (
        "c.env",
        [
            {
                "name": "a",
                "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}, "secretKeyRef": {"name": "x", "key": "y"}},
            }
        ],
        ['C.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'],
    ),
    "variable from no key": (
        "c.env",
        [{"name": "a", "valueFrom": {"configMapKeyRef": {"name": "x"}}}],
        ["C.env[0].valueFrom.configMapKeyRef.key: Required value"],
    ),
    "variable from an unknown amount": (
        "c.env",
        [{"name": "a", "valueFrom": {"resourceFieldRef": {"resource": "cpu"}}}],
        [
            (
                'C.env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "cpu": supported values: "limits.cpu", '
                '"limits.memory", "limits.ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage"'
            )
        ],
    ),
    "variables from nothing": (
        "c.envFrom",
        [{}],
        ['C.envFrom[0]: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'],
    ),
    "variables from no name": ("c.envFrom", [{"configMapRef": {}}], ["C.envFrom[0].configMapRef.name: Required value"]),
    "volume without name": ("spec.volumes", [{"emptyDir": {}}], ["volumes[0].name: Required value"]),
    "volume name": ("spec.volumes", [{"name": "V_"}], [f'volumes[0].name: Invalid value: "V_": {LABEL}']),
    "volume twice": ("spec.volumes", [{"name": "v"}, {"name": "v"}], ['volumes[1].name: Duplicate value: "v"']),
    "volume of two kinds": (
        "spec.volumes",
        [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}],
        ["volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
    ),
    "secret without name": (
        "spec.volumes",
        [{"name": "v", "secret": {}}],
        ["volumes[0].secret.secretName: Required value"],
    ),
    "claim without name": (
        "spec.volumes",
        [{"name": "v", "persistentVolumeClaim": {}}],
        ["volumes[0].persistentVolumeClaim.claimName: Required value"],
    ),
    "file mode": (
        "spec.volumes",
        [{"name": "v", "configMap": {"name": "x", "defaultMode": 1000}}],
        [
            "volumes[0].configMap.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive"
        ],
    ),
    "path out of a volume": (
        "spec.volumes",
        [{"name": "v", "configMap": {"name": "x", "items": [{"key": "a", "path": "../b"}]}}],
        ["volumes[0].configMap.items[0].path: Invalid value: \"../b\": must not contain '..'"],
    ),
    "host path without path": (
        "spec.volumes",
        [{"name": "v", "hostPath": {}}],
        ["volumes[0].hostPath.path: Required value"],
    ),
    "size": (
        "spec.volumes",
        [{"name": "v", "emptyDir": {"sizeLimit": "x"}}],
        [f'volumes[0].emptyDir.sizeLimit: Invalid value: "x": {QUANTITY}'],
    ),
    "mount of no volume": (
        "c.volumeMounts",
        [{"name": "v", "mountPath": "/x"}],
        ['C.volumeMounts[0].name: Not found: "v"'],
    ),
    "mount without path": (
        "c.volumeMounts",
        [{}],
        ["C.volumeMounts[0].name: Required value", "C.volumeMounts[0].mountPath: Required value"],
    ),
    "liveness without handler": (
        "c.livenessProbe",
        {},
        ["C.livenessProbe: Required value: must specify a handler type"],
    ),
    "probe with two handlers": (
        "c.livenessProbe",
        {"exec": {"command": ["a"]}, "httpGet": {"port": 80}},
        ["C.livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type"],
    ),
    "probe without command": ("c.startupProbe", {"exec": {}}, ["C.startupProbe.exec.command: Required value"]),
    "probe port": (
        "c.livenessProbe",
        {"tcpSocket": {"port": 0}},
        ["C.livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    ),
    "probe scheme": (
        "c.livenessProbe",
        {"httpGet": {"port": 80, "scheme": "ftp"}},
        ['C.livenessProbe.httpGet.scheme: Unsupported value: "ftp": supported values: "HTTP", "HTTPS"'],
    ),
    "probe period": (
        "c.livenessProbe",
        {"grpc": {"port": 1}, "periodSeconds": -1},
        ["C.livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "liveness successes": (
        "c.livenessProbe",
        {"grpc": {"port": 1}, "successThreshold": 2},
        ["C.livenessProbe.successThreshold: Invalid value: 2: must be 1"],
    ),
    "readiness grace": (
        "c.readinessProbe",
        {"grpc": {"port": 1}, "terminationGracePeriodSeconds": 2},
        ["C.readinessProbe.terminationGracePeriodSeconds: Invalid value: 2: must not be set for readinessProbes"],
    ),
    "hook sleeps too long": (
        "c.lifecycle",
        {"preStop": {"sleep": {"seconds": 99}}},
        [
            "C.lifecycle.preStop.sleep: Invalid value: 99: must be non-negative and less than terminationGracePeriodSeconds (30)"
        ],
    ),
    "probe of an init container": (
        "spec.initContainers",
        [{"name": "i", "image": "i", "livenessProbe": {"grpc": {"port": 1}}}],
        [f"initContainers[0].livenessProbe: Forbidden: {INIT_ONLY}"],
    ),
    "restart policy": (
        "spec.restartPolicy",
        "never",
        ['restartPolicy: Unsupported value: "never": supported values: "Always", "OnFailure", "Never"'],
    ),
    "dns policy": (
        "spec.dnsPolicy",
        "None",
        ["dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    ),
    "name server": (
        "spec.dnsConfig",
        {"nameservers": ["a"]},
        ['dnsConfig.nameservers[0]: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ),
    "host name": ("spec.hostname", "a_b", [f'hostname: Invalid value: "a_b": {LABEL}']),
    "subdomain": ("spec.subdomain", "a.b", ['subdomain: Invalid value: "a.b": must not contain dots']),
    "deadline": (
        "spec.activeDeadlineSeconds",
        0,
        ["activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    ),
    "user": (
        "spec.securityContext",
        {"runAsUser": -1},
        ["securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
    ),
    "profile": (
        "c.securityContext",
        {"seccompProfile": {"type": "Localhost"}},
        [
            "C.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"
        ],
    ),
    "gate twice": (
        "spec.schedulingGates",
        [{"name": "a"}, {"name": "a"}],
        ['schedulingGates[1]: Duplicate value: "a"'],
    ),
    "node selector": (
        "spec.nodeSelector",
        {"a": 1},
        ["nodeSelector[a]: Invalid value: 1: must be of type string, not integer"],
    ),
    "toleration of all without Exists": (
        "spec.tolerations",
        [{}],
        [
            'tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"'
        ],
    ),
    "toleration operator": (
        "spec.tolerations",
        [{"key": "a", "operator": "Is"}],
        ['tolerations[0].operator: Unsupported value: "Is": supported values: "Equal", "Exists"'],
    ),
    "toleration effect": (
        "spec.tolerations",
        [{"key": "a", "effect": "No"}],
        [
            'tolerations[0].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'
        ],
    ),
    "toleration seconds": (
        "spec.tolerations",
        [{"key": "a", "tolerationSeconds": 5}],
        ["tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"],
    ),
    "affinity without terms": (
        "spec.affinity",
        {"nodeAffinity": {REQUIRED_TERMS: {}}},
        [
            f"affinity.nodeAffinity.{REQUIRED_TERMS}.nodeSelectorTerms: Required value: must have at least one node selector term"
        ],
    ),
    "affinity without values": (
        "spec.affinity",
        node_rule(key="a", operator="In"),
        [
            (
                f"affinity.nodeAffinity.{REQUIRED_TERMS}.nodeSelectorTerms[0].matchExpressions[0].values: Required value: "
                "must be specified when `operator` is 'In' or 'NotIn'"
            )
        ],
    ),
    "affinity weight": (
        "spec.affinity",
        {"podAffinity": {PREFERRED_TERMS: [{"weight": 500, "podAffinityTerm": {"topologyKey": "x"}}]}},
        [f"affinity.podAffinity.{PREFERRED_TERMS}[0].weight: Invalid value: 500: must be in the range 1-100"],
    ),
    "affinity without topology": (
        "spec.affinity",
        {"podAntiAffinity": {REQUIRED_TERMS: [{}]}},
        [f"affinity.podAntiAffinity.{REQUIRED_TERMS}[0].topologyKey: Required value: can not be empty"],
    ),
    "spread skew": (
        "spec.topologySpreadConstraints",
        [{"topologyKey": "x", "whenUnsatisfiable": "DoNotSchedule"}],
        ["topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"],
    ),
    "number too large": ("spec.priority", 2**31, ["priority: Invalid value: 2147483648: must fit int32"]),
    "yes is not true": (
        "spec.hostNetwork",
        "yes",
        ['hostNetwork: Invalid value: "yes": must be of type boolean, not string'],
    ),
    "device for the whole pod": (
        "spec.resources",
        {"limits": {"x/gpu": 1}},
        ['resources.limits[x/gpu]: Unsupported value: "x/gpu": supported values: "cpu", "hugepages-", "memory"'],
    ),
    "pod requests less than its containers": (
        "spec",
        {
            "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "4"}},
            "containers": [
                {"name": "c", "image": "i", "resources": {"requests": {"cpu": "2"}}},
                {"name": "d", "image": "i", "resources": {"requests": {"cpu": "1500m"}}},
            ],
        },
        [
            'resources.requests[cpu]: Invalid value: "2": must be greater than or equal to aggregate container requests of 3500m'
        ],
    ),
    "pod limit less than its containers request": (
        "spec",
        {
            "resources": {"limits": {"cpu": "2"}},
            "initContainers": [
                {"name": "s", "image": "i", "restartPolicy": "Always", "resources": {"requests": {"cpu": "2"}}}
            ],
            "containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}],
        },
        ['resources.requests: Invalid value: "3": must be less than or equal to cpu limit of 2'],
    ),
    "container limit above the pod's": (
        "spec",
        {
            "resources": {"limits": {"memory": "1Gi"}},
            "containers": [
                {"name": "c", "image": "i", "resources": {"limits": {"memory": "2Gi"}, "requests": {"memory": "1"}}}
            ],
        },
        ['C.resources.limits[memory]: Invalid value: "2Gi": must be less than or equal to pod limits of 1Gi'],
    ),
    "claims of the whole pod": (
        "spec.resources",
        {"claims": [{"name": "x"}], "limits": {"cpu": "1"}},
        ["resources.claims: Forbidden: claims may not be set for Resources at pod-level"],
    ),
    "claim of a device without source": (
        "spec.resourceClaims",
        [{"name": "a"}],
        [
            'resourceClaims[0]: Invalid value: {"name":"a"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
        ],
    ),
    "host PID without host users": (
        "spec",
        {"hostUsers": False, "hostPID": True, "containers": [{"name": "c", "image": "i"}]},
        ["hostPID: Forbidden: when `hostUsers` is false"],
    ),
    "shared processes and host PID": (
        "spec",
        {"shareProcessNamespace": True, "hostPID": True, "containers": [{"name": "c", "image": "i"}]},
        ["shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"],
    ),
    "seccomp without type": (
        "c.securityContext",
        {"seccompProfile": {}},
        ["C.securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set"],
    ),
    "sysctl of the host's network": (
        "spec",
        {
            "hostNetwork": True,
            "securityContext": {"sysctls": [{"name": "net/core.somaxconn", "value": "1"}]},
            "containers": [{"name": "c", "image": "i"}],
        },
        [
            "securityContext.sysctls[0].name: Invalid value: \"net/core.somaxconn\": may not be specified when 'hostNetwork' is true"
        ],
    ),
    "windows options of a linux pod": (
        "spec",
        {
            "os": {"name": "linux"},
            "securityContext": {"windowsOptions": {}},
            "containers": [{"name": "c", "image": "i"}],
        },
        ["securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"],
    ),
    "restart rules without policy": (
        "c.restartPolicyRules",
        [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}],
        ["C.restartPolicy: Required value: must specify restartPolicy when restart rules are used"],
    ),
    "restart on resize of a pod that never restarts": (
        "spec",
        {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "c",
                    "image": "i",
                    "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}],
                }
            ],
        },
        [
            "C.resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'"
        ],
    ),
    "two files of one name": (
        "spec.volumes",
        [
            {
                "name": "v",
                "projected": {
                    "sources": [
                        {"secret": {"name": "s", "items": [{"key": "a", "path": "x"}]}},
                        {"configMap": {"name": "m", "items": [{"key": "b", "path": "x"}]}},
                    ]
                },
            }
        ],
        ['volumes[0].projected.sources[1].configMap.items[0].path: Invalid value: "x": conflicting duplicate paths'],
    ),
    "a claim without access mode and size": (
        "spec.volumes",
        [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}],
        [
            "volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
            "volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: Required value",
        ],
    ),
    "divisor of cpu": (
        "c.env",
        [{"name": "a", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1Gi"}}}],
        [
            'C.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "1Gi": only divisor\'s values 1m, 1 are supported with limits.cpu'
        ],
    ),
    "label keys without selector": (
        "spec.topologySpreadConstraints",
        [{"maxSkew": 1, "topologyKey": "x", "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["a"]}],
        ["topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"],
    ),
    "driver of a volume": ("spec.volumes", [{"name": "v", "csi": {}}], ["volumes[0].csi.driver: Required value"]),
    "quantity deep in a volume": (
        "spec.volumes",
        [{"name": "v", "emptyDir": {"sizeLimit": "lots"}}],
        [f'volumes[0].emptyDir.sizeLimit: Invalid value: "lots": {QUANTITY}'],
    ),
}


@pytest.mark.parametrize(("path", "value", "wanted"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_template_is_refused_with_the_message_of_kubernetes(path: str, value, wanted: list) -> None:
    faults = [str(fault) for fault in check_template(template(path, value), "T")]
    assert faults == [f"T.spec.{text.replace('C', 'containers[0]', 1) if text[0] == 'C' else text}" for text in wanted]


METADATA = {
    "label key": ({"labels": {"a b": "c"}}, [f'labels: Invalid value: "a b": {NAME_PART}']),
    "label prefix": ({"labels": {"/q": "c"}}, ['labels: Invalid value: "/q": prefix part must be non-empty']),
    "label value": (
        {"labels": {"c": "x" * 64}},
        [f'labels: Invalid value: "{"x" * 64}": must be no more than 63 bytes'],
    ),
    "label is a number": ({"labels": {"a": 3}}, ["labels[a]: Invalid value: 3: must be of type string, not integer"]),
    "annotation key": ({"annotations": {"a b": "c"}}, [f'annotations: Invalid value: "a b": {NAME_PART}']),
    "deletion cost": (
        {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "x"}},
        ['annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "x": must be a 32bit integer'],
    ),
    "seccomp annotation": (
        {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "x"}},
        ['annotations[seccomp.security.alpha.kubernetes.io/pod]: Invalid value: "x": must be a valid seccomp profile'],
    ),
    "AppArmor of no container": (
        {"annotations": {"container.apparmor.security.beta.kubernetes.io/x": "unconfined"}},
        ['annotations[container.apparmor.security.beta.kubernetes.io/x]: Invalid value: "x": container not found'],
    ),
    "annotations too long": (
        {"annotations": {"a": "x" * 2**18}},
        ["annotations: Too long: may not be more than 262144 bytes"],
    ),
}


@pytest.mark.parametrize(("metadata", "wanted"), METADATA.values(), ids=METADATA)
def test_labels_and_annotations_have_kubernetes_syntax(metadata: dict, wanted: list) -> None:
    faults = check_template({**template(), "metadata": metadata}, "T")
    assert [str(fault) for fault in faults] == [f"T.metadata.{text}" for text in wanted]


@pytest.mark.parametrize("nothing", [None, {}, {"spec": None}, {"spec": {}}, {"spec": {"containers": None}}])
def test_a_template_without_containers_is_refused(nothing) -> None:
    assert [fault.text for fault in check_template(nothing, "T")] == ["Required value"]


def test_all_violations_are_reported_at_once() -> None:
    broken = template("c.ports", [{"containerPort": 0}])
    broken["spec"] |= {"restartPolicy": "x", "hostname": "A", "volumes": "none", "nodeSelector": {"a b": "c"}}
    paths = {fault.path for fault in check_template(broken, "T")}
    wanted = ("containers[0].ports[0].containerPort", "restartPolicy", "hostname", "volumes", "nodeSelector")
    assert paths == {f"T.spec.{path}" for path in wanted}
