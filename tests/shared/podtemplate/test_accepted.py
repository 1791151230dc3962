"""Templates that Kubernetes accepts are accepted: unusual but valid ones, placeholders, and random ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.podtemplate import check_template
from shared.podtemplate.schema import volume_sources
from tests.shared.podtemplate.make import template

PREFERRED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution"
REQUIRED_TERMS = "requiredDuringSchedulingIgnoredDuringExecution"

ACCEPTED = {
    "the plain one": ("", None),
    "creationTimestamp null": ("metadata.creationTimestamp", None),
    "a name that is overwritten": ("metadata.name", "X"),
    "label without value": ("metadata.labels", {"example.com/a": "", "b": None}),
    "annotation key in capitals": ("metadata.annotations", {"Example.COM/Key": "any text: {}"}),
    "amounts as numbers": ("c.resources", {"requests": {"cpu": 0.5, "memory": 1e9}, "limits": {"cpu": 1, "x/gpu": 2}}),
    "amounts with exponent": ("c.resources", {"requests": {"cpu": "1e3", "memory": "1.5Gi"}}),
    "a resource of kubernetes.io": ("c.resources", {"limits": {"kubernetes.io/x": 1}}),
    "huge pages": ("c.resources", {"limits": {"hugepages-2Mi": "4Mi", "cpu": 1}}),
    "amounts for the whole pod": ("spec.resources", {"limits": {"cpu": "1"}}),
    "a claimed device": ("spec.resourceClaims", [{"name": "x", "resourceClaimName": "y"}]),
    "one port twice": ("c.ports", [{"containerPort": 80}, {"containerPort": 80}]),
    "host port zero": ("c.ports", [{"containerPort": 80, "hostPort": 0, "protocol": ""}]),
    "variable with a blank": ("c.env", [{"name": "a b", "value": "1"}, {"name": "1x"}]),
    "variable twice": ("c.env", [{"name": "a", "value": "1"}, {"name": "a", "value": None}]),
    "variable of a label": ("c.env", [{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a']"}}}]),
    "variable of the old host field": ("c.env", [{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "spec.host"}}}]),
    "variable of an amount": ("c.env", [{"name": "a", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]),
    "empty value beside a source": (
        "c.env",
        [{"name": "a", "value": "", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    ),
    "arguments with null": ("c.args", [None]),
    "no pull policy": ("c.imagePullPolicy", ""),
    "volume without source": ("spec.volumes", [{"name": "v"}]),
    "volume of a kind to come": ("spec.volumes", [{"name": "v", "fromTheFuture": {}}]),
    "host path of any type": ("spec.volumes", [{"name": "v", "hostPath": {"path": "/a", "type": ""}}]),
    "iscsi without lun": (
        "spec.volumes",
        [{"name": "v", "iscsi": {"targetPortal": "a:1", "iqn": "iqn.2001-04.com.e:x"}}],
    ),
    "projected from nothing": ("spec.volumes", [{"name": "v", "projected": {}}]),
    "toleration of everything": ("spec.tolerations", [{"operator": "Exists"}]),
    "negative grace": ("spec.terminationGracePeriodSeconds", -1),
    "sidecar with a probe": (
        "spec.initContainers",
        [{"name": "i", "image": "i", "restartPolicy": "Always", "livenessProbe": {"exec": {"command": ["x"]}}}],
    ),
    "liveness with zero successes": ("c.livenessProbe", {"tcpSocket": {"port": "http"}, "successThreshold": 0}),
    "readiness with two successes": ("c.readinessProbe", {"tcpSocket": {"port": 80}, "successThreshold": 2}),
    "header without value": ("c.startupProbe", {"httpGet": {"port": 80, "httpHeaders": [{"name": "X"}]}}),
    "a sleep of no time": ("c.lifecycle", {"preStop": {"sleep": {}}}),
    "an empty node term": ("spec.affinity", {"nodeAffinity": {REQUIRED_TERMS: {"nodeSelectorTerms": [{}]}}}),
    "a preference for anything": ("spec.affinity", {"nodeAffinity": {PREFERRED_TERMS: [{"weight": 1}]}}),
    "search paths": ("spec.dnsConfig", {"searches": ["a_b.c.", "."]}),
    "root who must not be": ("c.securityContext", {"runAsUser": 0, "runAsNonRoot": True, "privileged": True}),
    "unknown fields": ("c.unknown", {"deep": [1]}),
    "nulls": ("spec.hostNetwork", None),
}


@pytest.mark.parametrize(("path", "value"), ACCEPTED.values(), ids=ACCEPTED)
def test_templates_that_kubernetes_accepts_are_accepted(path: str, value) -> None:
    assert check_template(template(path, value), "T") == ()


def test_every_kind_of_volume_is_known() -> None:
    assert {"emptyDir", "hostPath", "nfs", "image", "csi", "projected"} <= set(volume_sources())


def test_volumes_of_the_job_can_be_mounted_and_take_their_paths() -> None:
    mounted = template("c.volumeMounts", [{"name": "data", "mountPath": "/data"}])
    assert check_template(mounted, "T", extra_volumes=["data"]) == ()
    (fault,) = check_template(mounted, "T", extra_volumes=["data"], extra_mounts=["/data"])
    assert str(fault) == 'T.spec.containers[0].volumeMounts[0].mountPath: Invalid value: "/data": must be unique'


def test_an_init_container_may_use_a_mount_path_of_the_job() -> None:
    own = {"name": "i", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/data"}]}
    made = template("spec.initContainers", [own])
    made["spec"]["volumes"] = [{"name": "v"}]
    assert check_template(made, "T", extra_mounts=["/data"]) == ()


PLACEHOLDERS = {
    "image": ("c.image", "$(params.image) "),
    "number": ("c.ports", [{"containerPort": "$(params.port)"}]),
    "quantity": ("c.resources", {"requests": {"cpu": "$(params.cpu)"}, "limits": {"cpu": "1"}}),
    "label": ("metadata.labels", {"a": "$(params.x y)"}),
    "choice": ("spec.restartPolicy", "$(params.policy)"),
    "whole probe": ("c.livenessProbe", "$(params.probe)"),
    "name of a volume": ("spec.volumes", [{"name": "$(params.volume)"}]),
    "name of a mount": ("c.volumeMounts", [{"name": "$(params.volume)", "mountPath": "/x"}]),
    "whole list": ("spec.containers", "$(params.containers)"),
}


@pytest.mark.parametrize(("path", "value"), PLACEHOLDERS.values(), ids=PLACEHOLDERS)
def test_a_string_with_placeholders_is_not_validated(path: str, value) -> None:
    assert check_template(template(path, value), "T", allow_placeholders=True) == ()
    assert check_template(template(path, value), "T") != ()


def test_a_mount_may_refer_to_a_volume_whose_name_has_a_placeholder() -> None:
    made = template("c.volumeMounts", [{"name": "data", "mountPath": "/x"}])
    made["spec"]["volumes"] = [{"name": "$(params.volume)"}]
    assert check_template(made, "T", allow_placeholders=True) == ()


def test_placeholders_do_not_hide_other_faults() -> None:
    made = template("c.image", "$(params.image)")
    made["spec"]["hostname"] = "A_"
    assert [fault.path for fault in check_template(made, "T", allow_placeholders=True)] == ["T.spec.hostname"]


FIELDS = [
    "containers",
    "initContainers",
    "volumes",
    "name",
    "image",
    "env",
    "valueFrom",
    "fieldRef",
    "resources",
    "limits",
    "cpu",
    "ports",
    "affinity",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner),
    max_leaves=12,
)
PATHS = [
    "spec.containers",
    "c.env",
    "c.ports",
    "c.resources",
    "c.volumeMounts",
    "c.livenessProbe",
    "c.lifecycle",
    "c.securityContext",
]
PATHS += [
    "spec.volumes",
    "spec.affinity",
    "spec.tolerations",
    "spec.dnsConfig",
    "spec.topologySpreadConstraints",
    "metadata.labels",
]


@settings(max_examples=300)
@given(st.sampled_from(PATHS), JSON)
def test_any_object_is_judged_without_an_exception(path: str, value) -> None:
    for fault in check_template(template(path, value), "T"):
        assert fault.path.startswith("T.")
        assert str(fault)


@given(JSON)
def test_any_template_is_checked_without_an_exception(value) -> None:
    assert all(str(fault) for fault in check_template(value, "T", allow_placeholders=True))
