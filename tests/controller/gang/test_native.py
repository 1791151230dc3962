"""Kubernetes' own gangs: what is created for one of our PodGroups, in the words of each version."""

from typing import Any

import pytest

from controller.decision import Create, Patch
from controller.gang.backends.native import NativeBackend
from controller.gang.desk import Desk
from controller.gang.native import wanted_actions
from controller.gang.rules import Rules
from shared.names import GANG_GATE
from shared.resources import GangTask
from tests.controller.gang.make import NOW, template

Body = dict[str, Any]
REFERENCES: dict[str, Body] = {
    "v1alpha2": {"podGroupTemplateRef": {"workload": {"workloadName": "g", "podGroupTemplateName": "gang"}}},
    "v1alpha3": {"workloadRef": {"workloadName": "g", "templateName": "gang"}},
    "v1beta1": {"workloadRef": {"workloadName": "g", "templateName": "gang"}},
}


def group(minimum: int = 3, **spec: Any) -> Body:
    return {"metadata": {"name": "g", "namespace": "ns", "uid": "u"}, "spec": {"minMember": minimum, **spec}}


def created(version: str) -> tuple[Body, Body]:
    workload, native = wanted_actions(version, group(priorityClassName="high"), None, None)
    assert isinstance(workload, Create)
    assert isinstance(native, Create)
    return workload.body, native.body


@pytest.mark.parametrize("version", REFERENCES)
def test_a_workload_and_a_group_stand_for_ours(version: str) -> None:
    workload, native = created(version)
    assert workload["apiVersion"] == native["apiVersion"] == f"scheduling.k8s.io/{version}"
    assert workload["spec"]["podGroupTemplates"] == [{"name": "gang", "schedulingPolicy": {"gang": {"minCount": 3}}}]
    wanted = REFERENCES[version] | {"priorityClassName": "high", "schedulingPolicy": {"gang": {"minCount": 3}}}
    assert native["spec"] == wanted
    assert native["metadata"]["ownerReferences"][0]["uid"] == "u"


@pytest.mark.parametrize(("version", "follows"), [("v1alpha2", False), ("v1beta1", True)])
def test_the_minimum_follows_where_it_may(version: str, follows: bool) -> None:
    workload, native = created(version)
    native = {**native, "metadata": {**native["metadata"], "uid": "n"}}
    assert wanted_actions(version, group(3), workload, native) == []
    patches = wanted_actions(version, group(5), workload, native)
    assert [patch.patch for patch in patches if isinstance(patch, Patch)] == (
        [{"spec": {"schedulingPolicy": {"gang": {"minCount": 5}}}}] if follows else []
    )


def test_a_group_on_its_way_out_gets_nothing() -> None:
    leaving = group()
    leaving["metadata"]["deletionTimestamp"] = "2026-01-02T03:00:00Z"
    assert wanted_actions("v1beta1", leaving, None, None) == []


def test_pods_name_their_group_and_wait_for_quota_only() -> None:
    backend = NativeBackend(Desk(Rules(), lambda: NOW), "default-scheduler", "v1beta1")
    backend.desk.floor.queue(None, {"metadata": {"name": "small"}, "spec": {"capability": {"cpu": "1"}}})
    for queue, gates in (("default", None), ("small", [{"name": GANG_GATE}])):
        body = {"metadata": {"name": queue, "namespace": "ns"}, "spec": {"minMember": 2, "queue": queue}}
        backend.group_body(body, [GangTask(2, None, template("500"))])
        pod = {
            "metadata": {"name": "p", "namespace": "ns"},
            "spec": {"schedulerName": "volcano", **template("500")["spec"]},
        }
        spec = backend.shape_pod(pod, queue)["spec"]
        assert spec["schedulingGroup"] == {"podGroupName": queue}
        assert spec["schedulerName"] == "default-scheduler"
        assert spec.get("schedulingGates") == gates
