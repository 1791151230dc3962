"""Invalid volumes, mounts, probes and hooks, and the error messages of Kubernetes."""

import pytest

from shared.podtemplate import check_template
from tests.shared.podtemplate.make import template
from tests.shared.podtemplate.messages import INIT_ONLY, LABEL, QUANTITY

REFUSED_VOLUMES = {
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
}


@pytest.mark.parametrize(("path", "value", "wanted"), REFUSED_VOLUMES.values(), ids=REFUSED_VOLUMES)
def test_invalid_volumes_and_probes_are_refused_with_the_message_of_kubernetes(path: str, value, wanted: list) -> None:
    faults = [str(fault) for fault in check_template(template(path, value), "T")]
    assert faults == [f"T.spec.{text.replace('C', 'containers[0]', 1) if text[0] == 'C' else text}" for text in wanted]
