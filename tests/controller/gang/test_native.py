"""Kubernetes' own gangs: what is created for one of our PodGroups, in each version of the API."""

from typing import Any

import kubernetes_validate
import pytest

from controller.decision import Create, Decision, Patch
from controller.gang.admission import GateAdmission
from controller.gang.backends.native import NativeBackend
from controller.gang.backends.workload import decide
from controller.gang.settings import AdmissionSettings
from shared.kinds import POD, PODGROUP
from shared.model.types import Body
from shared.names import GANG_GATE, GROUP_NAME, QUEUE_NAME
from tests.controller.gang.make import NOW, template
from tests.purity import pure

REFERENCES: dict[str, Body] = {
    "v1alpha2": {"podGroupTemplateRef": {"workload": {"workloadName": "g", "podGroupTemplateName": "gang"}}},
    "v1alpha3": {"workloadRef": {"workloadName": "g", "templateName": "gang"}},
    "v1beta1": {"workloadRef": {"workloadName": "g", "templateName": "gang"}},
}


def group(minimum: int = 3, **spec: Any) -> Body:
    return {"metadata": {"name": "g", "namespace": "ns", "uid": "u"}, "spec": {"minMember": minimum, **spec}}


def created(version: str) -> tuple[Body, Body]:
    decision = pure(decide)(version, group(priorityClassName="high"), None, None)
    (workload,), (native,) = decision.actions, decision.cleanup
    assert isinstance(workload, Create)
    assert isinstance(native, Create)
    return workload.body, native.body


def stored(body: Body, **metadata: Any) -> Body:
    return {**body, "metadata": {**body["metadata"], "uid": "stored", **metadata}}


@pytest.mark.parametrize("version", REFERENCES)
def test_a_workload_and_a_native_podgroup_are_created(version: str) -> None:
    workload, native = created(version)
    assert workload["apiVersion"] == native["apiVersion"] == f"scheduling.k8s.io/{version}"
    common = {
        "schedulingPolicy": {"gang": {"minCount": 3}},
        "disruptionMode": "PodGroup" if version == "v1alpha2" else {"all": {}},
        "priorityClassName": "high",
    }
    assert workload["spec"]["podGroupTemplates"] == [{"name": "gang", **common}]
    assert native["spec"] == {**REFERENCES[version], **common}
    assert native["metadata"]["ownerReferences"][0]["uid"] == "u"


@pytest.mark.parametrize(("version", "kubernetes"), [("v1alpha2", "1.36"), ("v1alpha3", "1.37"), ("v1beta1", "1.37")])
def test_they_are_valid_in_the_schema_of_kubernetes(version: str, kubernetes: str) -> None:
    for body in created(version):
        kubernetes_validate.validate(body, kubernetes, strict=True)


@pytest.mark.parametrize(("version", "follows"), [("v1alpha2", False), ("v1alpha3", True), ("v1beta1", True)])
def test_the_minimum_is_updated_or_an_event_says_that_it_cannot_be(version: str, follows: bool) -> None:
    workload, native = map(stored, created(version))
    assert pure(decide)(version, group(3), workload, native) == Decision()
    decision = pure(decide)(version, group(5), workload, native)
    patches = [patch.patch for patch in decision.actions if isinstance(patch, Patch)]
    assert patches == ([{"spec": {"schedulingPolicy": {"gang": {"minCount": 5}}}}] if follows else [])
    assert ["3 pods together, not 5" in note.message for note in decision.notes] == ([] if follows else [True])


def test_objects_of_an_earlier_group_are_deleted_before_new_ones_are_created() -> None:
    """A restarted Job's group has its predecessor's name."""
    workload, native = map(stored, created("v1beta1"))
    restarted = group(5)
    restarted["metadata"]["uid"] = "next"
    decision = pure(decide)("v1beta1", restarted, workload, native)
    assert [(type(each).__name__, each.kind.kind) for each in decision.actions] == [
        ("Patch", "PodGroup"),  # pods of the new group may be bound by it until it is gone
        ("Delete", "Workload"),
        ("Delete", "PodGroup"),
    ]
    assert decision.cleanup == ()
    leaving = stored(native, deletionTimestamp="2026-01-02T03:00:00Z")
    assert pure(decide)("v1beta1", {**restarted, "spec": {"minMember": 3}}, None, leaving) == Decision()


def test_a_missing_podgroup_is_created_after_its_workload() -> None:
    workload, native = map(stored, created("v1beta1"))
    (made,) = pure(decide)("v1beta1", group(), workload, None).cleanup
    assert (type(made), made.kind.kind) == (Create, "PodGroup")
    (made,) = pure(decide)("v1beta1", group(), None, native).actions
    assert (type(made), made.kind.kind) == (Create, "Workload")


def test_nothing_is_created_for_a_group_that_is_being_deleted() -> None:
    leaving = group()
    leaving["metadata"]["deletionTimestamp"] = "2026-01-02T03:00:00Z"
    assert pure(decide)("v1beta1", leaving, None, None) == Decision()


def test_pods_name_their_group_and_wait_for_quota_only() -> None:
    backend = NativeBackend("default-scheduler", "v1beta1")
    admission = GateAdmission(AdmissionSettings(scheduler_starts_gangs=True), lambda: NOW)
    admission.cache.update_queue(None, {"metadata": {"name": "small"}, "spec": {"capability": {"cpu": "1"}}})
    for queue, gates in (("default", None), ("small", [{"name": GANG_GATE}])):
        body = {"metadata": {"name": queue, "namespace": "ns"}, "spec": {"minMember": 2, "queue": queue}}
        pod = {
            "metadata": {"namespace": "ns", "annotations": {GROUP_NAME: queue, QUEUE_NAME: queue}},
            "spec": {"schedulerName": "volcano", **template("500")["spec"]},
        }
        pods = [{**pod, "metadata": {**pod["metadata"], "name": f"{queue}-{number}"}} for number in range(2)]
        decision = Decision(
            first=(Create(PODGROUP, backend.group_body(body)),),
            actions=tuple(Create(POD, backend.shape_pod(each, queue)) for each in pods),
        )
        for action in admission.admit_new(decision, "ns", {}).actions:
            assert isinstance(action, Create)
            spec = action.body["spec"]
            assert spec["schedulingGroup"] == {"podGroupName": queue}
            assert spec["schedulerName"] == "default-scheduler"
            assert spec.get("schedulingGates") == gates
