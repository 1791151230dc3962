"""Complete manifests with every field of Volcano's types."""

from typing import Any

POD_TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "train"}, "annotations": {"note": "x"}, "name": "ignored"},
    "spec": {
        "restartPolicy": "OnFailure",
        "schedulerName": "volcano",
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "initContainers": [{"name": "prepare", "image": "busybox", "command": ["true"]}],
        "containers": [
            {
                "name": "main",
                "image": "busybox",
                "command": ["sh", "-c", "exit 0"],
                "ports": [{"containerPort": 8080, "name": "http"}],
                "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": "2", "nvidia.com/gpu": 1}},
                "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                "livenessProbe": {"httpGet": {"path": "/", "port": 8080}},
            }
        ],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    },
}
TOPOLOGY = {"mode": "soft", "highestTierAllowed": 2}
POLICIES: list[dict[str, Any]] = [
    {"action": "RestartJob", "event": "PodEvicted", "timeout": "1h0m0s"},
    {"action": "AbortJob", "events": ["PodFailed", "Unknown"]},
    {"action": "TerminateJob", "exitCode": 137},
    {"action": "RestartPod", "exitCodes": {"operator": "NotIn", "values": [1, "10-20"]}},
    {"action": "RestartPod", "podConditions": [{"type": "DisruptionTarget", "status": "True"}]},
]
JOB_SPEC: dict[str, Any] = {
    "schedulerName": "volcano",
    "minAvailable": 3,
    "minSuccess": 1,
    "volumes": [
        {"mountPath": "/data", "volumeClaimName": "data"},
        {
            "mountPath": "/new",
            "volumeClaim": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        },
    ],
    "tasks": [
        {
            "name": "ps",
            "replicas": 1,
            "minAvailable": 1,
            "template": POD_TEMPLATE,
            "policies": POLICIES,
            "topologyPolicy": "best-effort",
            "maxRetry": 5,
        },
        {
            "name": "worker",
            "replicas": 4,
            "template": POD_TEMPLATE,
            "dependsOn": {"name": ["ps"], "iteration": "any"},
            "partitionPolicy": {
                "totalPartitions": 2,
                "partitionSize": 2,
                "minPartitions": 1,
                "networkTopology": {"mode": "hard", "highestTierName": "rack"},
            },
        },
    ],
    "policies": POLICIES,
    "plugins": {"ssh": [], "env": [], "svc": ["--publish-not-ready-addresses=true"]},
    "runningEstimate": "30m0s",
    "queue": "default",
    "maxRetry": 3,
    "ttlSecondsAfterFinished": 600,
    "priorityClassName": "high",
    "suspend": True,
    "activeDeadlineSeconds": 3600,
    "managedBy": "kueue.x-k8s.io/multikueue",
    "networkTopology": TOPOLOGY,
}
JOB: dict[str, Any] = {
    "apiVersion": "batch.volcano.sh/v1alpha1",
    "kind": "Job",
    "metadata": {"name": "full", "namespace": "default"},
    "spec": JOB_SPEC,
    "status": {
        "state": {"phase": "Running", "reason": "r", "message": "m", "lastTransitionTime": "2026-01-02T03:04:05Z"},
        "minAvailable": 3,
        "taskStatusCount": {"ps": {"phase": {"Running": 1}}},
        "pending": 0,
        "running": 1,
        "succeeded": 0,
        "failed": 0,
        "terminating": 0,
        "unknown": 0,
        "version": 1,
        "retryCount": 1,
        "runningDuration": "3s",
        "controlledResources": {"plugin-svc": "svc"},
        "conditions": [{"status": "Running", "lastTransitionTime": None}],
    },
}
JOB_TEMPLATE: dict[str, Any] = {
    "apiVersion": "flow.volcano.sh/v1alpha1",
    "kind": "JobTemplate",
    "metadata": {"name": "a", "namespace": "default"},
    "spec": JOB_SPEC,
    "status": {"jobDependsOnList": ["full-a"]},
}
JOB_FLOW: dict[str, Any] = {
    "apiVersion": "flow.volcano.sh/v1alpha1",
    "kind": "JobFlow",
    "metadata": {"name": "full", "namespace": "default"},
    "spec": {
        "jobRetainPolicy": "delete",
        "flows": [
            {"name": "a", "patch": {"jobSpec": JOB_SPEC}},
            {
                "name": "b",
                "dependsOn": {
                    "targets": ["a"],
                    "probe": {
                        "httpGetList": [
                            {"taskName": "ps", "path": "/", "port": 80, "httpHeader": {"name": "H", "value": "v"}}
                        ],
                        "tcpSocketList": [{"taskName": "ps", "port": 80}],
                        "taskStatusList": [{"taskName": "ps", "phase": "Running"}],
                    },
                },
            },
        ],
    },
    "status": {
        "state": {"phase": "Running"},
        "pendingJobs": ["p"],
        "runningJobs": ["r"],
        "failedJobs": ["f"],
        "completedJobs": ["c"],
        "terminatedJobs": ["t"],
        "unKnowJobs": ["u"],
        "jobStatusList": [
            {
                "name": "full-a",
                "state": "Running",
                "startTimestamp": "2026-01-02T03:04:05Z",
                "endTimestamp": None,
                "restartCount": 1,
                "runningHistories": [
                    {"startTimestamp": "2026-01-02T03:04:05Z", "endTimestamp": None, "state": "Pending"}
                ],
            }
        ],
        "conditions": {
            "full-a": {
                "phase": "Running",
                "createTime": "2026-01-02T03:04:05Z",
                "runningDuration": "1s",
                "taskStatusCount": {"ps": {"phase": {"Running": 1}}},
            }
        },
    },
}
POD_GROUP: dict[str, Any] = {
    "apiVersion": "scheduling.volcano.sh/v1beta1",
    "kind": "PodGroup",
    "metadata": {"name": "g", "namespace": "default"},
    "spec": {
        "minMember": 2,
        "minTaskMember": {"ps": 1},
        "queue": "default",
        "priorityClassName": "high",
        "minResources": {"cpu": 1, "memory": "1Gi"},
        "networkTopology": TOPOLOGY,
        "subGroupPolicy": [
            {
                "name": "s",
                "networkTopology": TOPOLOGY,
                "subGroupSize": 2,
                "minSubGroups": 1,
                "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
                "matchLabelKeys": ["k"],
            }
        ],
    },
    "status": {
        "phase": "Inqueue",
        "running": 1,
        "succeeded": 1,
        "failed": 1,
        "conditions": [
            {
                "type": "Unschedulable",
                "status": "True",
                "transitionID": "x",
                "lastTransitionTime": "2026-01-02T03:04:05Z",
                "reason": "NotEnoughResources",
                "message": "m",
            }
        ],
    },
}
QUEUE: dict[str, Any] = {
    "apiVersion": "scheduling.volcano.sh/v1beta1",
    "kind": "Queue",
    "metadata": {"name": "q"},
    "spec": {
        "weight": 4,
        "capability": {"cpu": 8, "memory": "32Gi"},
        "deserved": {"cpu": "4"},
        "guarantee": {"resource": {"cpu": "1"}},
        "reclaimable": False,
        "extendClusters": [{"name": "c", "weight": 1, "capacity": {"cpu": 1}}],
        "affinity": {
            "nodeGroupAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": ["g1"],
                "preferredDuringSchedulingIgnoredDuringExecution": ["g2"],
            },
            "nodeGroupAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": ["g3"]},
        },
        "type": "t",
        "parent": "root",
        "priority": 10,
        "dequeueStrategy": "fifo",
    },
    "status": {
        "state": "Open",
        "allocated": {"cpu": "1"},
        "reservation": {"nodes": ["n"], "resource": {"cpu": 1}},
        "unknown": 0,
        "pending": 1,
        "running": 1,
        "inqueue": 1,
        "completed": 1,
    },
}
COMMAND: dict[str, Any] = {
    "apiVersion": "bus.volcano.sh/v1alpha1",
    "kind": "Command",
    "metadata": {"name": "c", "namespace": "default"},
    "action": "AbortJob",
    "target": {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "name": "full",
        "uid": "1",
        "controller": True,
        "blockOwnerDeletion": True,
    },
    "reason": "r",
    "message": "m",
}
MANIFESTS = {body["kind"]: body for body in (JOB, JOB_TEMPLATE, JOB_FLOW, POD_GROUP, QUEUE, COMMAND)}
