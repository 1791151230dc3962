"""Invalid fields of the pod as a whole, and the error messages of Kubernetes."""

import pytest

from shared.podtemplate import check_template
from tests.shared.podtemplate.make import template
from tests.shared.podtemplate.messages import LABEL, QUANTITY

REQUIRED_TERMS = "requiredDuringSchedulingIgnoredDuringExecution"

PREFERRED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution"


def node_rule(**rule) -> dict:
    return {"nodeAffinity": {REQUIRED_TERMS: {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}}}


REFUSED_POD = {
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


@pytest.mark.parametrize(("path", "value", "wanted"), REFUSED_POD.values(), ids=REFUSED_POD)
def test_an_invalid_pod_is_refused_with_the_message_of_kubernetes(path: str, value, wanted: list) -> None:
    faults = [str(fault) for fault in check_template(template(path, value), "T")]
    assert faults == [f"T.spec.{text.replace('C', 'containers[0]', 1) if text[0] == 'C' else text}" for text in wanted]
