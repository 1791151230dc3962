"""Parts of Jobs for the tables of their rules."""

from typing import Any

from shared.model.types import Body
from tests.webhook.make import job, pod_template, task

ACTIONS = '"AbortJob", "RestartJob", "RestartTask", "RestartPod", "RestartPartition", "TerminateJob", "CompleteJob", "ResumeJob"'

FAILED = {"event": "PodFailed", "action": "RestartJob"}

CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def policies(*given: Body) -> Body:
    return job(policies=list(given))


def cpu(**resources: Any) -> Body:
    containers = [{"name": "main", "image": "busybox", "resources": resources}]
    return job(task(topologyPolicy="restricted", template=pod_template(containers=containers)))


def partitioned(replicas: int, total: int, size: int, **more: Any) -> Body:
    policy = {"totalPartitions": total, "partitionSize": size}
    if "minPartitions" in more:
        policy["minPartitions"] = more.pop("minPartitions")
    return job(task(replicas=replicas, partitionPolicy=policy, **more))
