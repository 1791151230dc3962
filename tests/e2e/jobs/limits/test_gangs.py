"""A gang starts as a whole: under quotas of its namespace, after a restart, and when other pods leave room."""

import itertools

from local.client.blocking import until
from local.cluster import LocalCluster
from shared.kinds import JOB, NODE, POD, RESOURCEQUOTA
from tests.e2e.jobs.limits.workloads import (
    command,
    delete_jobs,
    free_pods,
    job,
    message,
    quota,
    running,
    says,
    starts,
    whole_gangs,
)
from tests.e2e.support.pod_recorder import PodRecorder


def test_a_gang_that_a_quota_never_allows_runs_no_pod_and_starts_when_the_quota_is_raised(
    cluster: LocalCluster, namespace: str
) -> None:
    cluster.kube.create(RESOURCEQUOTA, quota(namespace, pods="1"))
    with PodRecorder(cluster.kube, namespace, whole_gangs({"half": 2})) as recorder:
        cluster.apply(job(namespace, "half", 2))
        until(
            lambda: "never fits" in message(cluster, namespace, "half") and not cluster.kube.list(POD, namespace),
            30,
            lambda: message(cluster, namespace, "half"),
        )
        cluster.kube.patch(RESOURCEQUOTA, namespace, "quota", quota(namespace, pods="4"))
        starts(cluster, namespace, "half", 2, 60)
    assert recorder.fault == "", recorder.fault


def test_gangs_that_share_a_quota_run_one_after_the_other_and_the_oldest_first(
    cluster: LocalCluster, namespace: str
) -> None:
    cluster.kube.create(RESOURCEQUOTA, quota(namespace, pods="3"))
    names = ["first", "second", "third"]
    minimums = dict.fromkeys(names, 2)
    with PodRecorder(cluster.kube, namespace, whole_gangs(minimums)) as recorder:
        cluster.apply(job(namespace, "first", 2))
        starts(cluster, namespace, "first", 2, 30)
        for name in names[1:]:
            cluster.apply(job(namespace, name, 2))
            says(cluster, namespace, name, "quota")
        for ended, following in itertools.pairwise(names):
            del minimums[ended]
            cluster.kube.delete(JOB, namespace, ended)
            starts(cluster, namespace, following, 2)
            assert set(free_pods(cluster, namespace)) <= {ended, following}
    assert recorder.fault == "", recorder.fault


def test_two_gangs_in_one_apply_do_not_lock_each_other_out_of_a_quota(cluster: LocalCluster, namespace: str) -> None:
    for number in range(3):
        body = quota(namespace, pods="2")
        cluster.kube.apply(RESOURCEQUOTA, body)
        names = [f"pair-{number}-{each}" for each in range(3)]
        with PodRecorder(cluster.kube, namespace, whole_gangs(dict.fromkeys(names, 2))) as recorder:
            cluster.apply(*(job(namespace, name, 2) for name in names))
            until(
                lambda: sum(free_pods(cluster, namespace).values()) == 2, 60, lambda: str(free_pods(cluster, namespace))
            )
        assert recorder.fault == "", recorder.fault
        delete_jobs(cluster, namespace)


def test_a_restarted_gang_waits_until_all_of_its_old_pods_are_gone(cluster: LocalCluster, namespace: str) -> None:
    def finalizers(pod: str, value: list[str] | None) -> None:
        cluster.kube.patch(POD, namespace, pod, {"metadata": {"finalizers": value}})

    with PodRecorder(cluster.kube, namespace, whole_gangs({"again": 2})) as recorder:
        cluster.apply(job(namespace, "again", 2))
        until(lambda: running(cluster, namespace) == 2, 60, lambda: message(cluster, namespace, "again"))
        old = {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in cluster.kube.list(POD, namespace)}
        for name in old.values():
            finalizers(name, ["example.com/slow"])
        command(cluster, JOB, namespace, "again", "RestartJob")
        for name, about in zip(sorted(old.values()), ("2 pods", "pod again-w-1"), strict=True):
            says(cluster, namespace, "again", f"not ended 30 s after the grace period: {about}", 90)
            assert not free_pods(cluster, namespace, without=old)
            finalizers(name, None)

        def runs_again() -> bool:
            return free_pods(cluster, namespace, without=old)["again"] == 2

        until(runs_again, 90, lambda: message(cluster, namespace, "again"))
    assert recorder.fault == "", recorder.fault


def test_never_fits_is_reported_only_if_no_other_job_can_make_room(cluster: LocalCluster, namespace: str) -> None:
    for number in range(8):
        container = {
            "name": "c",
            "image": "busybox",
            "command": ["sleep", "4000"],
            "resources": {"requests": {"cpu": "900m"}},
        }
        metadata = {"name": f"other-{number}", "namespace": namespace}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
        cluster.kube.create(POD, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    until(
        lambda: all(pod["spec"].get("nodeName") for pod in cluster.kube.list(POD, namespace)), 30, lambda: "not bound"
    )
    cluster.apply(job(namespace, "blocked", 4), job(namespace, "huge", 9))
    says(cluster, namespace, "blocked", "pods without PodGroup use", 20)
    assert "never fits" not in message(cluster, namespace, "blocked")
    says(cluster, namespace, "huge", "never fits", 20)
    for node in ("node-0", "node-1"):
        cluster.kube.patch(NODE, "", node, {"spec": {"unschedulable": True}})
    says(cluster, namespace, "blocked", "cordoned", 10)
    for node in ("node-0", "node-1"):
        cluster.kube.patch(NODE, "", node, {"spec": {"unschedulable": None}})
    for number in range(8):
        cluster.kube.delete(POD, namespace, f"other-{number}")
    starts(cluster, namespace, "blocked", 4, 10)
