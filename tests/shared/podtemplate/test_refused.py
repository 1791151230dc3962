"""Invalid containers, and the error messages. The texts are those of kube-apiserver 1.36 where it has one."""

import pytest

from shared.podtemplate import check_template
from tests.shared.podtemplate.make import template
from tests.shared.podtemplate.messages import LABEL, NAME_PART, QUANTITY

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
