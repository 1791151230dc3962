"""What is created: pods with Volcano's metadata, the PodGroup, claims, plugin objects."""

from typing import Any

from controller.decision import Create, Decision
from controller.gang_api import UngatedBackend
from controller.job.model.observed import JobSettings
from shared.kinds import CONFIGMAP, NETWORKPOLICY, POD, PODGROUP, PVC, SECRET, SERVICE
from shared.model.types import Body
from tests.controller.job.make import after, job, policy, task
from tests.controller.job.toy import Toy, started, toy


def pod(cluster: Toy, name: str = "w-0") -> Body:
    return cluster.settle().pods[name]


def test_a_pod_carries_volcanos_labels_and_annotations() -> None:
    body = pod(
        toy(task("w", 2, template={"metadata": {"labels": {"app": "x"}, "annotations": {"note": "y"}}, "spec": {}}))
    )
    marks = {
        "volcano.sh/task-index": "0",
        "volcano.sh/task-spec": "w",
        "volcano.sh/job-name": "demo",
        "volcano.sh/queue-name": "default",
    }
    assert body["metadata"]["labels"] == {"app": "x", **marks, "volcano.sh/job-namespace": "ns1"}
    assert body["metadata"]["annotations"] == {
        "note": "y",
        **marks,
        "volcano.sh/job-version": "0",
        "volcano.sh/job-retry-count": "0",
        "volcano.sh/template-uid": "demo-w",
        "scheduling.k8s.io/group-name": "demo-7d2f",
    }
    owner = {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "name": "demo", "uid": "7d2f"}
    assert body["metadata"]["ownerReferences"] == [{**owner, "controller": True, "blockOwnerDeletion": True}]
    assert body["metadata"]["name"] == "demo-w-0"


def test_labels_and_annotations_of_the_job_are_copied_to_its_pods() -> None:
    metadata = {
        "annotations": {
            "volcano.sh/preemptable": "true",
            "volcano.sh/revocable-zone": "rz1",
            "volcano.sh/jdb-min-available": "1",
            "volcano.sh/jdb-max-unavailable": "2",
        },
        "labels": {"volcano.sh/preemptable": "true", "team": "a"},
    }
    partitions = {"totalPartitions": 2, "partitionSize": 2}
    body = pod(
        Toy(job(task("w", 4, partitionPolicy=partitions, topologyPolicy="restricted"), metadata=metadata)), "w-3"
    )
    annotations, labels = body["metadata"]["annotations"], body["metadata"]["labels"]
    assert annotations["volcano.sh/preemptable"] == "true"
    assert annotations["volcano.sh/revocable-zone"] == "rz1"
    assert annotations["volcano.sh/jdb-min-available"] == "1"
    assert "volcano.sh/jdb-max-unavailable" not in annotations
    assert annotations["volcano.sh/numa-topology-policy"] == "restricted"
    assert labels["volcano.sh/partition-id"] == "1"
    assert labels["volcano.sh/preemptable"] == "true"
    assert "team" not in labels


def test_defaults_of_the_job_fill_the_template() -> None:
    template = {"spec": {"hostNetwork": True, "containers": [{"name": "m", "image": "i"}]}}
    spec = pod(toy(task("w", 1, template=template), schedulerName="volcano", priorityClassName="high"))["spec"]
    assert (spec["schedulerName"], spec["priorityClassName"], spec["dnsPolicy"]) == (
        "volcano",
        "high",
        "ClusterFirstWithHostNet",
    )
    assert spec["restartPolicy"] == "Never"


def test_the_template_wins_over_the_job() -> None:
    template = {
        "spec": {"schedulerName": "mine", "priorityClassName": "low", "restartPolicy": "OnFailure", "containers": []}
    }
    spec = pod(toy(task("w", 1, template=template), priorityClassName="high"))["spec"]
    assert (spec["schedulerName"], spec["priorityClassName"], spec["restartPolicy"]) == ("mine", "low", "OnFailure")


def test_unnamed_tasks_are_named_by_position() -> None:
    cluster = toy(task("", 1), task("", 1)).settle()
    assert sorted(cluster.shown) == ["default0-0", "default1-0"]


def test_pods_of_a_restart_carry_its_version_and_retries() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed")]).fail("w-0").settle().vanish().settle()
    annotations = cluster.pods["w-0"]["metadata"]["annotations"]
    assert (annotations["volcano.sh/job-version"], annotations["volcano.sh/job-retry-count"]) == ("1", "1")


def mounts(body: Body, containers: str = "containers") -> list[tuple[str, str]]:
    spec = body["spec"]
    claims = {
        volume["name"]: volume.get("persistentVolumeClaim", {}).get("claimName", "") for volume in spec["volumes"]
    }
    return [(mount["mountPath"], claims[mount["name"]]) for mount in spec[containers][0]["volumeMounts"]]


def test_two_volumes_on_one_claim_are_both_mounted_also_in_init_containers() -> None:
    container = {"name": "m", "image": "i"}
    template = {"spec": {"containers": [container], "initContainers": [container]}}
    volumes = [{"mountPath": "/a", "volumeClaimName": "shared"}, {"mountPath": "/b", "volumeClaimName": "shared"}]
    body = pod(toy(task("w", 1, template=template), volumes=volumes).claim("shared"))
    assert mounts(body) == mounts(body, "initContainers") == [("/a", "shared"), ("/b", "shared")]
    assert len(body["spec"]["volumes"]) == 1


def test_a_new_claim_has_a_name_that_does_not_change() -> None:
    volumes = [{"mountPath": "/a", "volumeClaim": {"accessModes": ["ReadWriteOnce"]}}, {"mountPath": "/b"}]
    cluster = toy(task("w", 1), volumes=volumes)
    assert mounts(pod(cluster)) == [("/a", "demo-pvc-0"), ("/b", "")]
    assert cluster.names(PVC) == ["demo-pvc-0"]
    assert cluster.status.controlled_resources == {"volume-pvc-demo-pvc-0": "demo-pvc-0"}


def test_a_claim_named_by_volcano_is_used_as_it_is() -> None:
    volumes = [{"mountPath": "/a", "volumeClaim": {}, "volumeClaimName": "demo-pvc-k3j2h1g0"}]
    assert mounts(pod(toy(task("w", 1), volumes=volumes))) == [("/a", "demo-pvc-k3j2h1g0")]


def group(cluster: Toy) -> Body:
    body = cluster.settle().group
    assert body is not None
    return body


def test_the_group_says_what_the_job_needs() -> None:
    template = {"spec": {"containers": [{"name": "m", "image": "i", "resources": {"requests": {"cpu": "500m"}}}]}}
    metadata = {
        "labels": {"team": "a"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "x": "y"},
    }
    tasks = task("w", 4, template=template, minAvailable=2), task("ps", 1, template=template)
    body = group(
        Toy(
            job(*tasks, metadata=metadata, queue="q1", minAvailable=3, priorityClassName="high"),
            queue={"metadata": {"name": "q1"}},
        )
    )
    assert body["metadata"]["labels"] == {"team": "a"}
    assert body["metadata"]["annotations"] == {"x": "y", "volcano.sh/job-version": "0"}
    spec = body["spec"]
    assert (spec["minMember"], spec["minTaskMember"], spec["queue"], spec["priorityClassName"]) == (
        3, {"w": 2, "ps": 1}, "q1", "high",
    )  # fmt: skip
    assert (spec["minResources"]["cpu"], spec["minResources"]["pods"]) == ("1500m", "3")


def test_topology_and_partitions_reach_the_group() -> None:
    partitions = {"totalPartitions": 3, "partitionSize": 2, "minPartitions": 2, "networkTopology": {"mode": "soft"}}
    topology = {"mode": "hard", "highestTierAllowed": 2, "highestTierName": "rack"}
    spec = group(toy(task("w", 6, partitionPolicy=partitions), networkTopology=topology))["spec"]
    assert spec["networkTopology"] == {"mode": "hard", "highestTierAllowed": 2}
    assert (spec["minMember"], spec["minTaskMember"]) == (4, {"w": 4})
    assert spec["subGroupPolicy"] == [
        {
            "name": "w",
            "networkTopology": {"mode": "soft"},
            "subGroupSize": 2,
            "minSubGroups": 2,
            "labelSelector": {"matchLabels": {"volcano.sh/task-spec": "w"}},
            "matchLabelKeys": ["volcano.sh/partition-id"],
        }
    ]


def test_the_old_podgroup_admits_no_pods_after_a_restart() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed")])
    cluster.auto_inqueue = False
    old = cluster.group
    cluster.fail("w-0").settle().vanish().settle()
    assert cluster.group is not None
    assert cluster.group is not old
    assert cluster.group["metadata"]["annotations"]["volcano.sh/job-version"] == "1"
    assert cluster.pods == {}
    cluster.admit().settle()
    assert sorted(cluster.shown) == ["w-0", "w-1"]


def test_a_terminating_podgroup_is_not_used_for_new_pods() -> None:
    cluster = started(policies=[policy("RestartJob", "PodFailed")])
    assert cluster.group is not None
    cluster.group["metadata"]["finalizers"] = ["x"]
    cluster.fail("w-0").look()
    cluster.group["metadata"]["deletionTimestamp"] = "2026-01-02T03:00:00Z"
    cluster.objects = {key: body for key, body in cluster.objects.items() if key[0] is PODGROUP}
    decision: Decision = cluster.decide()
    assert (decision.first, decision.actions) == ((), ())


def test_without_gang_admission_pods_are_created_at_once() -> None:
    cluster = Toy(job(), JobSettings(backend=UngatedBackend("default-scheduler"), count_seconds=0))
    cluster.look()
    assert sorted(cluster.shown) == ["w-0", "w-1"]
    assert cluster.pods["w-0"]["spec"]["schedulerName"] == "default-scheduler"


def objects(cluster: Toy) -> list[list[str]]:
    return [cluster.names(kind) for kind in (SERVICE, CONFIGMAP, SECRET, NETWORKPOLICY)]


def test_plugin_objects_live_until_the_job_ends_and_keys_never_change() -> None:
    cluster = started(task("w", 2, policy("RestartPod", "PodFailed")), plugins={"svc": [], "ssh": []})
    assert objects(cluster) == [["demo"], ["demo-svc"], ["demo-ssh"], ["demo"]]
    uids = [cluster.objects[SECRET, "demo-ssh"]["metadata"]["uid"], cluster.objects[SERVICE, "demo"]["metadata"]["uid"]]
    assert cluster.status.controlled_resources == {"plugin-svc": "svc", "plugin-ssh": "ssh"}
    cluster.fail("w-0").settle().vanish().settle().run("w-0").settle()
    assert uids == [
        cluster.objects[SECRET, "demo-ssh"]["metadata"]["uid"],
        cluster.objects[SERVICE, "demo"]["metadata"]["uid"],
    ]
    cluster.succeed().settle()
    assert (cluster.phase, objects(cluster)) == ("Completed", [[], [], [], []])
    assert cluster.status.controlled_resources == {}


def test_plugin_objects_outlive_an_abort() -> None:
    cluster = started(plugins={"svc": []}).order("AbortJob").settle().vanish().settle()
    assert (cluster.phase, objects(cluster)[0]) == ("Aborted", ["demo"])


def test_host_lists_follow_the_scale() -> None:
    cluster = started(plugins={"svc": []}, minAvailable=1).scale(3).settle()
    assert cluster.objects[CONFIGMAP, "demo-svc"]["data"]["VC_W_NUM"] == "3"


def test_a_plugin_object_of_another_owner_blocks_the_pods_and_is_reported() -> None:
    cluster = toy(plugins={"svc": []})
    metadata = {"name": "demo-svc", "namespace": "ns1", "uid": "x"}
    cluster.objects[CONFIGMAP, "demo-svc"] = {"kind": "ConfigMap", "metadata": metadata}
    cluster.settle()
    assert (cluster.phase, cluster.reason, cluster.pods) == ("Pending", "PluginConflict", {})
    assert "ConfigMap demo-svc exists" in cluster.status.state.message


def test_a_queue_with_extend_clusters_marks_job_and_pods() -> None:
    queue = {"metadata": {"name": "default"}, "spec": {"extendClusters": [{"name": "east"}]}}
    cluster = Toy(job(), queue=queue).settle()
    assert cluster.job["metadata"]["annotations"] == {"volcano.sh/job-forwarding": "true"}
    metadata = cluster.pods["w-0"]["metadata"]
    assert (
        metadata["labels"]["volcano.sh/job-forwarding"]
        == metadata["annotations"]["volcano.sh/job-forwarding"]
        == "true"
    )


def quota(most: int, cluster: Toy) -> None:
    def refuse(action: Any) -> str:
        full = isinstance(action, Create) and action.kind is POD and len(cluster.pods) >= most
        return "exceeded quota: pods" if full else ""

    cluster.refuse = refuse


def test_pods_refused_by_a_quota_are_reported_and_created_later() -> None:
    cluster = toy(task("w", 5))
    quota(3, cluster)
    cluster.settle()
    assert (cluster.phase, cluster.reason, len(cluster.pods)) == ("Pending", "FailedCreate", 3)
    assert cluster.status.state.message == "exceeded quota: pods (pods still to be created: 2)"
    assert cluster.text("FailedCreate") == ["exceeded quota: pods (pods still to be created: 2)"]
    assert (cluster.status.pending, cluster.wake) == (3, cluster.now + 0.5)
    cluster.look()
    assert len(cluster.pods) == 3
    writes = cluster.writes.count("status")
    for _ in range(5):
        cluster.wait(15).settle()
    assert (cluster.writes.count("status"), len(cluster.text("FailedCreate"))) == (writes, 1)
    quota(9, cluster)
    cluster.wait(15).settle()
    assert (len(cluster.pods), cluster.reason) == (5, "Inqueue")


def test_a_refused_podgroup_is_reported_and_created_later() -> None:
    cluster = toy()
    cluster.refuse = lambda action: (
        "queue q1 is Closed" if isinstance(action, Create) and action.kind is PODGROUP else ""
    )
    cluster.settle().wait(20).settle()
    assert (cluster.phase, cluster.reason, cluster.status.state.message) == (
        "Pending",
        "FailedCreate",
        "queue q1 is Closed",
    )
    cluster.refuse = lambda action: ""
    assert sorted(cluster.wait(20).settle().shown) == ["w-0", "w-1"]


def test_a_pod_is_not_created_while_the_old_pod_of_its_name_exists() -> None:
    cluster = started(minAvailable=1).evict("w-0").settle()
    assert cluster.shown["w-0"] == "Terminating"
    cluster.vanish().settle()
    assert cluster.shown["w-0"] == "Pending"


def test_a_dependents_pods_get_their_plugins_too() -> None:
    cluster = (
        toy(task("a", 1), task("b", 1, dependsOn=after("a")), plugins={"env": []}).settle().succeed("a-0").settle()
    )
    env = cluster.pods["b-0"]["spec"]["containers"][0]["env"]
    assert {"name": "VC_TASK_INDEX", "value": "0"} in env
