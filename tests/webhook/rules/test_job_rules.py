"""Every rule of a Job, in tables of changed manifests and expected violations."""

from typing import Any

import pytest

from shared.model.types import Body
from shared.podtemplate.expansion import OPEN_REFERENCE
from tests.webhook.make import faults, flow, job, known, pod_template, queue, review, step, task, template, verdict
from webhook.hints.names import LABEL_FAULT, QUALIFIED_FAULT, SUBDOMAIN_FAULT
from webhook.verdict.admit import validate
from webhook.verdict.kind_admission import AdmissionOptions

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


REFUSED: dict[str, tuple[Body, list[str]]] = {
    "no tasks": (job(tasks=None), ["spec.tasks: Required value: no task specified in job spec"]),
    "16: two tasks of one name": (
        job(task("w"), task("w")),
        ['spec.tasks[1].name: Duplicate value: "w": duplicated task name w'],
    ),
    "17: a task name that is no label": (
        job(task("Worker_1")),
        [f'spec.tasks[0].name: Invalid value: "Worker_1": {LABEL_FAULT}'],
    ),
    "19: task minAvailable above replicas": (
        job(task(minAvailable=3), minAvailable=2),
        ["spec.tasks[0].minAvailable: Invalid value: 3: 'minAvailable' is greater than 'replicas' (2) in task w"],
    ),
    "19: job minAvailable above all replicas": (
        job(minAvailable=3),
        [
            (
                "spec.minAvailable: Invalid value: 3: job 'minAvailable' should not be greater than total replicas in "
                "tasks (2)"
            )
        ],
    ),
    "14: minSuccess above all replicas": (
        job(minSuccess=9),
        [
            (
                "spec.minSuccess: Invalid value: 9: job 'minSuccess' should not be greater than total replicas in tasks "
                "(2): it could never be reached"
            )
        ],
    ),
    "20: event and exitCode together": (
        policies({**FAILED, "exitCode": 3}),
        ["spec.policies[0].exitCode: Invalid value: 3: must not specify event and exitCode simultaneously"],
    ),
    "20: neither event nor exitCode": (
        policies({"action": "AbortJob"}),
        ["spec.policies[0]: Required value: either event or exitCode is required"],
    ),
    "22: an action of another kind, and none": (
        job(task(policies=[{"event": "PodFailed", "action": "SyncJob"}]), policies=[{"event": "PodFailed"}]),
        [
            f'spec.policies[0].action: Unsupported value: "": invalid policy action; supported values: {ACTIONS}',
            (
                'spec.tasks[0].policies[0].action: Unsupported value: "SyncJob": invalid policy action; '
                f"supported values: {ACTIONS}"
            ),
        ],
    ),
    "10: an unknown action for an exit code": (
        policies({"exitCode": 5, "action": "Foo"}),
        [f'spec.policies[0].action: Unsupported value: "Foo": invalid policy action; supported values: {ACTIONS}'],
    ),
    "23: one event in two policies": (
        policies(FAILED, {"events": ["PodFailed", "PodEvicted"], "action": "AbortJob"}),
        ['spec.policies[1]: Duplicate value: "PodFailed": duplicate event PodFailed across different policy'],
    ),
    "25: any event beside others": (
        policies({"event": "*", "action": "RestartJob"}, {"event": "PodEvicted", "action": "AbortJob"}),
        ['spec.policies: Forbidden: if there is * here, no other policy should be here: "*" covers "PodEvicted"'],
    ),
    "exit codes that are no failure or given twice": (
        policies(*({"exitCode": code, "action": "RestartJob"} for code in (0, 3, 3))),
        [
            "spec.policies[0].exitCode: Invalid value: 0: 0 is not a valid error code",
            "spec.policies[2].exitCode: Duplicate value: 3: duplicate exitCode 3",
        ],
    ),
    "exit codes that are none": (
        policies({"action": "AbortJob", "exitCodes": {"operator": "In", "values": [0, "7-3", "x", -1]}}),
        [
            "spec.policies[0].exitCodes.values[0]: Invalid value: 0: 0 is not a valid error code",
            'spec.policies[0].exitCodes.values[1]: Invalid value: "7-3": the end of the range is below its beginning',
            'spec.policies[0].exitCodes.values[2]: Invalid value: "x": must be an exit code, such as 137, or a range, such as "1-127"',
            'spec.policies[0].exitCodes.values[3]: Invalid value: -1: must be an exit code, such as 137, or a range, such as "1-127"',
        ],
    ),
    "two causes in one policy": (
        policies({**FAILED, "exitCodes": {"operator": "In", "values": [3]}, "podConditions": [{"type": "Ready"}]}),
        [
            "spec.policies[0].exitCodes: Forbidden: may have one of event, exitCode, exitCodes and podConditions only, not event and exitCodes and podConditions"
        ],
    ),
    "a status that no condition has": (
        policies({"action": "AbortJob", "podConditions": [{"type": "Ready", "status": "true"}]}),
        [
            'spec.policies[0].podConditions[0].status: Unsupported value: "true": did you mean "True"? Supported values: "True", "False", "Unknown"'
        ],
    ),
    "managed by nobody": (
        job(managedBy="multikueue"),
        [
            'spec.managedBy: Invalid value: "multikueue": must be a domain-prefixed path, such as kueue.x-k8s.io/multikueue'
        ],
    ),
    "timeouts that are none": (
        policies({**FAILED, "timeout": "10"}, {"event": "PodEvicted", "action": "RestartJob", "timeout": "0s"}),
        [
            'spec.policies[0].timeout: Invalid value: "10": time: invalid duration "10"; write it as 10s, 1m30s or 2h',
            'spec.policies[1].timeout: Invalid value: "0s": must be greater than 0',
        ],
    ),
    "an estimate that is no duration": (
        job(runningEstimate="-5m"),
        ['spec.runningEstimate: Invalid value: "-5m": must be greater than 0'],
    ),
    "RestartTask at job level": (
        policies({"events": ["PodEvicted", "PodFailed", "TaskFailed"], "action": "RestartTask"}),
        [],
    ),
    "RestartPod for something without a pod": (
        policies({"event": "Unknown", "action": "RestartPod"}),
        [
            (
                'spec.policies[0].action: Invalid value: "RestartPod": RestartPod needs a pod or task, but Unknown is an event of the whole Job'
            )
        ],
    ),
    "RestartPartition without partitions": (
        job(task(policies=[{"event": "PodFailed", "action": "RestartPartition"}])),
        [
            (
                'spec.tasks[0].policies[0].action: Invalid value: "RestartPartition": RestartPartition needs a task with '
                "partitionPolicy"
            )
        ],
    ),
    "26: one mount path twice": (
        job(volumes=[{"mountPath": "/x", "volumeClaimName": name} for name in ("a", "b")]),
        ['spec.volumes[1].mountPath: Duplicate value: "/x": duplicated mountPath /x'],
    ),
    "volumes without a claim, with two, and with a bad one": (
        job(
            volumes=[
                {"mountPath": "/a"},
                {"mountPath": "/b", "volumeClaimName": "b", "volumeClaim": CLAIM},
                {"mountPath": "/c", "volumeClaimName": "C_"},
            ]
        ),
        [
            (
                "spec.volumes[0]: Required value: either volumeClaim (a new claim) or volumeClaimName (an existing one) "
                "must be specified"
            ),
            (
                'spec.volumes[1].volumeClaimName: Invalid value: "b": conflict: volumeClaim creates a new PVC, '
                "volumeClaimName uses an existing PVC; set one of them"
            ),
            f'spec.volumes[2].volumeClaimName: Invalid value: "C_": invalid volumeClaimName: {SUBDOMAIN_FAULT}',
        ],
    ),
    "claims that the API server would refuse": (
        job(
            volumes=[
                {"mountPath": "/a", "volumeClaim": {"accessModes": ["ReadWriteOnce"]}},
                {"mountPath": "/b", "volumeClaim": {**CLAIM, "accessModes": ["ReadWriteOne"]}},
                {"mountPath": "/c", "volumeClaim": {**CLAIM, "resources": {"requests": {"storage": "0"}}}},
                {"mountPath": "/d", "volumeClaim": {**CLAIM, "storageClassName": 5}},
            ]
        ),
        [
            "spec.volumes[0].volumeClaim.resources.requests[storage]: Required value",
            (
                'spec.volumes[1].volumeClaim.accessModes[0]: Unsupported value: "ReadWriteOne": supported values: '
                '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
            ),
            ('spec.volumes[2].volumeClaim.resources.requests[storage]: Invalid value: "0": must be greater than zero'),
            "spec.volumes[3].volumeClaim.storageClassName: Invalid value: 5: must be of type string, not integer",
        ],
    ),
    "28: an unknown plugin": (
        job(plugins={"horovod": []}),
        [
            (
                'spec.plugins.horovod: Unsupported value: "horovod": unable to find job plugin horovod; known plugins: '
                "env, hcclrank, mpi, pytorch, ray, ssh, svc, tensorflow"
            )
        ],
    ),
    "more replicas than can be counted": (
        job(task("a", 2**31 - 1), task("b", 1), minAvailable=1),
        ["spec.tasks: Too many: 2147483648 replicas in all tasks: must be at most 2147483647"],
    ),
    "an iteration that is none": (
        job(task("a"), task("b", dependsOn={"name": ["a"], "iteration": "ALL"})),
        [
            (
                'spec.tasks[1].dependsOn.iteration: Unsupported value: "ALL": did you mean "all"? Supported values: '
                '"any", "all"'
            )
        ],
    ),
    "31: a task that waits for itself": (
        job(task("a", dependsOn={"name": ["a"]})),
        [
            (
                "spec.tasks: Invalid value: dependencies between tasks must form a directed acyclic graph (DAG): "
                "cycle a -> a"
            )
        ],
    ),
    "31: two tasks that wait for each other": (
        job(task("a", dependsOn={"name": ["b"]}), task("b", dependsOn={"name": ["a"]})),
        [
            (
                "spec.tasks: Invalid value: dependencies between tasks must form a directed acyclic graph (DAG): "
                "cycle a -> b -> a"
            )
        ],
    ),
    "31: a task that waits for a ghost": (
        job(task("a", dependsOn={"name": ["ghost"]})),
        ['spec.tasks[0].dependsOn.name[0]: Invalid value: "ghost": no task named "ghost"'],
    ),
    "32: a dependency named twice": (
        job(task("a"), task("b", dependsOn={"name": ["a", "a"]})),
        ['spec.tasks[1].dependsOn.name[1]: Duplicate value: "a": duplicate: the task is already listed'],
    ),
    "34: replicas that are not the product": (
        partitioned(5, 2, 2),
        [
            (
                "spec.tasks[0].replicas: Invalid value: 5: 'Replicas' are not equal to TotalPartitions*PartitionSize "
                "(2*2 = 4)"
            )
        ],
    ),
    "34: a minimum that is not whole partitions": (
        partitioned(6, 3, 2, minPartitions=2, minAvailable=6),
        [
            (
                "spec.tasks[0].minAvailable: Invalid value: 6: 'MinAvailable' is not equal to MinPartitions*PartitionSize "
                "(2*2 = 4)"
            )
        ],
    ),
    "more least partitions than there are": (
        partitioned(6, 3, 2, minPartitions=4),
        [
            "spec.tasks[0].partitionPolicy.minPartitions: Invalid value: 4: must not be greater than totalPartitions (3)",
        ],
    ),
    "35: half a CPU under a NUMA policy": (
        cpu(requests={"cpu": "500m"}),
        [
            (
                'spec.tasks[0].template.spec.containers[0].resources.requests.cpu: Invalid value: "500m": the cpu request '
                "isn't an integer, and topologyPolicy needs whole CPUs"
            )
        ],
    ),
    "35: no CPU under a NUMA policy": (
        cpu(requests={"memory": "1Gi"}),
        [
            (
                "spec.tasks[0].template.spec.containers[0].resources.requests.cpu: Required value: the cpu request isn't "
                "set, and topologyPolicy needs whole CPUs"
            )
        ],
    ),
    "two topology limits": (
        job(networkTopology={"highestTierAllowed": 1, "highestTierName": "rack"}),
        [
            (
                'spec.networkTopology.highestTierName: Invalid value: "rack": must not specify highestTierAllowed and '
                "highestTierName in networkTopology simultaneously"
            )
        ],
    ),
    "37: a container without image": (
        job(task(template=pod_template(containers=[{"name": "main"}]))),
        ["spec.tasks[0].template.spec.containers[0].image: Required value"],
    ),
    "a Job name that no label can hold": (
        job(name="x" * 64),
        [
            f'metadata.name: Invalid value: "{"x" * 64}": the name of a Job is used as a label of its pods: must be no more than 63 characters'
        ],
    ),
    "a pod name of the last replica that does not fit": (
        job(task("t" * 30, replicas=1001), name="d" * 29),
        [
            (
                f'spec.tasks[0].name: Invalid value: "{"t" * 30}": create pod with name {"d" * 29}-{"t" * 30}-1000 validate '
                "failed: must be no more than 63 characters; shorten the Job's or the task's name"
            )
        ],
    ),
}


REFUSED |= {
    "more tasks than could be judged": (
        job(*(task(f"t{number}") for number in range(1001))),
        ["spec.tasks: Too many: 1001: must have at most 1000 items; use replicas for identical pods"],
    ),
    "pod templates that are too large": (
        job(task(template=pod_template(initContainers=[{"name": f"c{n}", "image": "i"} for n in range(3000)]))),
        ["spec.tasks[0].template: Too many: the pod templates up to this task exceed the maximum of about 100000"],
    ),
    "more plugins than there are": (
        job(plugins={f"p{number}": [] for number in range(65)}),
        ["spec.plugins: Too many: 65: must have at most 64 items"],
    ),
    "more arguments than a plugin takes": (
        job(plugins={"svc": ["--bogus"] * 65}),
        ["spec.plugins.svc: Too many: 65: must have at most 64 items"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    manifest, wanted = REFUSED[case]
    found = faults(manifest)
    assert [fault[: len(start)] for fault, start in zip(found, wanted, strict=False)] == wanted
    assert len(found) == len(wanted)


def test_a_missing_role_task_is_named() -> None:
    (found,) = (each for each in faults(job(plugins={"mpi": ["--master=lead"]})) if "lead" in each)
    assert found.startswith('spec.plugins.mpi[0]: Not found: "lead": mpi master task not found')


def test_a_job_name_that_is_no_service_name_is_refused() -> None:
    assert faults(job(name="2fast")) == []
    (found,) = faults(job(name="2fast", plugins={"svc": []}))
    assert found.startswith('metadata.name: Invalid value: "2fast": plugin svc creates a Service of this name')


def test_an_unknown_plugin_flag_is_refused() -> None:
    (found,) = faults(job(plugins={"svc": ["--bogus", "--disable-network-policy"]}))
    assert found.startswith('spec.plugins.svc[0]: Unsupported value: "--bogus"')


ACCEPTED: dict[str, Body] = {
    "1: the base Job": job(),
    "2: one of two pods is enough": job(minAvailable=1),
    "4: repeats inside one policy": job(
        task(policies=[{"events": ["PodFailed", "PodFailed", "PodEvicted"], "action": "RestartTask"}])
    ),
    "5: one event at both levels, RestartPod at job level": job(
        task(policies=[FAILED]), policies=[{"event": "PodFailed", "action": "RestartPod"}]
    ),
    "7: one claim at two paths": job(
        volumes=[{"mountPath": path, "volumeClaimName": "shared"} for path in ("/a", "/b")]
    ),
    "8: a chain of tasks": job(
        task("a"), task("b", dependsOn={"name": ["a"]}), task("c", dependsOn={"name": ["a", "b"], "condition": "Ready"})
    ),
    "11: whole partitions": partitioned(6, 3, 2, minPartitions=2),
    "every event of the seed": policies(
        *(
            {"event": event, "action": "AbortJob", "timeout": "30s"}
            for event in (
                "PodFailed", "PodEvicted", "PodPending", "PodRunning", "Unknown", "TaskCompleted", "TaskFailed",
                "OutOfSync", "CommandIssued", "JobUpdated",
            )
        )
    ),
    "an exit code beside any event": policies(
        {"event": "*", "action": "RestartJob"}, {"exitCode": 3, "action": "TerminateJob"}
    ),
    "RestartPartition of a partitioned task": partitioned(
        4, 2, 2, policies=[{"event": "PodFailed", "action": "RestartPartition"}]
    ),
    "35: whole CPUs": cpu(requests={"cpu": "2"}),
    "35: whole CPUs by limits": cpu(limits={"cpu": 2}),
    "a name with dots, without services": job(name="a.b"),
    "a generated name": {**job(), "metadata": {"generateName": "demo-", "namespace": "ns1"}},
    "plugins that work": job(task("master"), task("worker"), plugins={"pytorch": ["--port=1234"], "env": []}),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case: str) -> None:
    assert faults(ACCEPTED[case]) == []


QUEUES: dict[str, tuple[Body, list[Body], list[str]]] = {
    "that is not there": (
        job(queue="trainig"),
        [queue("training")],
        [
            (
                'spec.queue: Not found: "trainig": unable to find job queue; did you mean "training"? '
                'Open leaf queues: "default", "q1", "training"; or create Queue "trainig"'
            )
        ],
    ),
    "that is not there, among more than anyone would read": (
        job(queue="nope"),
        [*(queue(f"t{number}") for number in range(9)), queue("shut", "Closed"), queue("root")],
        [
            (
                'spec.queue: Not found: "nope": unable to find job queue. '
                'Open leaf queues: "default", "q1", "t0", "t1", "t2" and 6 more; or create Queue "nope"'
            )
        ],
    ),
    "that is closed": (
        job(queue="shut"),
        [queue("shut", "Closed")],
        [
            (
                'spec.queue: Invalid value: "shut": can only submit job to queue with state `Open`, queue `shut` status is '
                '`Closed`. Open leaf queues: "default", "q1"; or open it: jobflow queue open shut'
            )
        ],
    ),
    "root": (
        job(queue="root"),
        [queue("root")],
        ['spec.queue: Invalid value: "root": can not submit job to root queue. Open leaf queues: "default", "q1"'],
    ),
    "with children": (
        job(queue="dad"),
        [queue("dad"), queue("kid", parent="dad")],
        [
            (
                'spec.queue: Invalid value: "dad": can only submit job to leaf queue, queue `dad` has 1 child queues. '
                'Open leaf queues: "default", "kid", "q1"'
            )
        ],
    ),
    "made a moment ago": (job(queue="new"), [queue("new", None)], []),
    "default, which need not have been made": (job(queue="default"), [], []),
    "default, but closed": (
        job(queue="default"),
        [queue("default", "Closing")],
        [
            (
                'spec.queue: Invalid value: "default": can only submit job to queue with state `Open`, queue `default` '
                'status is `Closing`. Open leaf queues: "q1"; or open it: jobflow queue open default'
            )
        ],
    ),
}


@pytest.mark.parametrize("case", QUEUES)
def test_a_queue(case: str) -> None:
    manifest, others, wanted = QUEUES[case]
    assert faults(manifest, lookups=known(*others)) == wanted


FROZEN = (
    "Forbidden: job updates may not change fields other than minAvailable, priorityClassName, suspend, "
    "activeDeadlineSeconds, tasks[*].replicas and tasks[*].minAvailable"
)
STORED = job(task("w", replicas=4), volumes=[{"mountPath": "/a", "volumeClaim": {}}], minAvailable=4)
UPDATES: dict[str, tuple[Body, list[str]]] = {
    "38: a task more": (
        job(task("w", replicas=4), task("x"), volumes=STORED["spec"]["volumes"], minAvailable=4),
        ["spec.tasks: Forbidden: job updates may not add or remove tasks"],
    ),
    "38: another queue": ({**STORED, "spec": {**STORED["spec"], "queue": "q2"}}, [f"spec.queue: {FROZEN}"]),
    "38: another image": (
        {
            **STORED,
            "spec": {
                **STORED["spec"],
                "tasks": [task(replicas=4, template=pod_template(containers=[{"name": "main", "image": "other"}]))],
            },
        },
        [f"spec.tasks[0].template.spec.containers[0].image: {FROZEN}"],
    ),
    "38: other retries and policies": (
        {**STORED, "spec": {**STORED["spec"], "maxRetry": 9, "policies": [FAILED]}},
        [f"spec.policies: {FROZEN}", f"spec.maxRetry: {FROZEN}"],
    ),
    "another volume": (
        {**STORED, "spec": {**STORED["spec"], "volumes": [{"mountPath": "/b", "volumeClaim": {}}]}},
        [f"spec.volumes[0].mountPath: {FROZEN}"],
    ),
    "suspend and a deadline": (
        {**STORED, "spec": {**STORED["spec"], "suspend": True, "activeDeadlineSeconds": 60}},
        [],
    ),
    "a minimum out of reach": (
        {**STORED, "spec": {**STORED["spec"], "minAvailable": 5}},
        [
            "spec.minAvailable: Invalid value: 5: job 'minAvailable' should not be greater than total replicas in tasks (4)"
        ],
    ),
    "13: the name of a claim that was made": (
        {
            **STORED,
            "spec": {**STORED["spec"], "volumes": [{"mountPath": "/a", "volumeClaim": {}, "volumeClaimName": "c"}]},
        },
        [],
    ),
    "scaling down": (job(task(replicas=1), volumes=STORED["spec"]["volumes"], minAvailable=1), []),
    "another priority": ({**STORED, "spec": {**STORED["spec"], "priorityClassName": "high"}}, []),
    "a minimum of none": ({**STORED, "spec": {**STORED["spec"], "minAvailable": 0}}, []),
}


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_of(case: str) -> None:
    manifest, wanted = UPDATES[case]
    assert faults(manifest, STORED) == wanted


def test_a_stored_job_with_violations_can_be_scaled() -> None:
    old = job(task(policies=[{"exitCode": 5, "action": "Foo"}], replicas=2), queue="gone", plugins={"horovod": []})
    new = job(task(policies=[{"exitCode": 5, "action": "Foo"}], replicas=3), queue="gone", plugins={"horovod": []})
    assert faults(new, old) == []


LAUNCHER = task(name="m", dependsOn={"name": ["w"]}, policies=[{"event": "TaskCompleted", "action": "CompleteJob"}])
WARNINGS: dict[str, tuple[Body, list[str]]] = {
    "a scheduler that may not run": (
        job(task(template=pod_template(schedulerName="mine")), schedulerName="kube-batch"),
        [
            'spec.schedulerName: a scheduler "kube-batch" must run; known schedulers: volcano, default-scheduler',
            'spec.tasks[0].template.spec.schedulerName: a scheduler "mine" must run; known schedulers: volcano, default-scheduler',
        ],
    ),
    "an action that has no target for one of its events": (
        policies({"events": ["PodFailed", "Unknown"], "action": "RestartTask"}),
        ['spec.policies[0]: RestartTask has no effect on "Unknown": it needs a pod or task'],
    ),
    "events that nothing raises": (
        policies({"events": ["PodFailed", "CommandIssued", "OutOfSync"], "action": "AbortJob"}),
        ['spec.policies[0]: "CommandIssued", "OutOfSync" is never raised: the policy does not act on it'],
    ),
    "mpi without workers": (
        job(task("master"), plugins={"mpi": []}),
        ['spec.plugins.mpi: no task "worker" (--worker): the plugin is set up without it'],
    ),
    "55: pods that never end": (
        job(task(template=pod_template(restartPolicy="Always"))),
        ["spec.tasks[0].template: with restartPolicy Always its pods never complete"],
    ),
    "a policy that never acts": (
        policies({"event": "PodPending", "action": "AbortJob"}),
        ["spec.policies[0]: PodPending without timeout has no effect: every pod starts as Pending"],
    ),
    "an MPI launcher that waits for servers as in Volcano": (
        job(LAUNCHER, task(name="w")),
        ["spec.tasks[0].dependsOn: waits until w completed; to wait until ready: condition: Ready"],
    ),
    "one that says what it waits for": (
        job({**LAUNCHER, "dependsOn": {"name": ["w"], "condition": "Completed"}}, task(name="w")),
        [],
    ),
    "one that ends nothing": (job({**LAUNCHER, "policies": []}, task(name="w")), []),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_warned_about(case: str) -> None:
    manifest, wanted = WARNINGS[case]
    found = verdict(manifest)
    assert (found.violations, list(found.warnings)) == ((), wanted)


# --- JobTemplates: the same rules, but placeholders may stand where a form is wanted ----------------------------------


def test_a_template_is_validated_like_a_job() -> None:
    assert faults(template(task(minAvailable=3))) == [
        "spec.tasks[0].minAvailable: Invalid value: 3: 'minAvailable' is greater than 'replicas' (2) in task w"
    ]


def test_a_template_may_hold_placeholders() -> None:
    holes = pod_template(containers=[{"name": "main", "image": "$(params.image)", "args": ["$(item)"]}])
    assert (
        faults(
            template(
                task("w", template=holes),
                queue="$(params.queue)",
                priorityClassName="$(params.class)",
                volumes=[{"mountPath": "$(params.path):", "volumeClaimName": "$(params.claim)"}],
                plugins={"svc": ["--publish-not-ready-addresses=$(params.early)"]},
                policies=[{"event": "PodFailed", "action": "$(params.action)", "timeout": "$(params.wait)"}],
                runningEstimate="$(params.estimate)",
            )
        )
        == []
    )


def test_an_unknown_reference_in_a_template_is_warned_about() -> None:
    arguments = ["$(flow.nmae)", "$(params.any)", "$(KUBERNETES_OWN)", "$(item.key)"]
    containers = [{"name": "main", "image": "busybox", "args": arguments}]
    found = verdict(template(task(template=pod_template(containers=containers))))
    assert (found.violations, found.warnings) == (
        (),
        (
            "spec.tasks[0].template.spec.containers[0].args[0]: $(flow.nmae) is not a known reference and is not replaced",
        ),
    )


def test_a_template_has_no_placeholder_inside_a_variable_of_kubernetes() -> None:
    containers = [{"name": "main", "image": "busybox", "args": ["$(TOK$(params.p))", "$$(TOK$(params.p))"]}]
    assert faults(template(task(template=pod_template(containers=containers)))) == [
        f'spec.tasks[0].template.spec.containers[0].args[0]: Invalid value: "$(TOK$(params.p))": {OPEN_REFERENCE}'
    ]
    assert faults(job(task(template=pod_template(containers=containers)))) == []


def test_a_template_needs_no_queue() -> None:
    assert faults(template(queue="not-there-yet")) == []


def test_deleting_a_template_in_use_is_allowed_with_a_warning() -> None:
    using = flow(step("x", template="a"), name="using")
    ended = flow(step("a"), name="ended") | {"status": {"state": {"phase": "Succeed"}}}
    other = flow(step("b"), name="other")
    found = verdict(None, template(name="a"), known(using, ended, other), "DELETE")
    assert found.allowed
    assert found.warnings == ("unfinished JobFlows use this JobTemplate and will wait for it: using",)


def test_deleting_an_unused_template_gives_no_warning() -> None:
    assert verdict(None, template(name="a"), known(), "DELETE").warnings == ()


def test_the_qualified_name_fault_is_kubernetes_own() -> None:
    (found,) = faults(job(name="a_"))
    assert (
        found
        == f'metadata.name: Invalid value: "a_": the name of a Job is used as a label of its pods: {QUALIFIED_FAULT}'
    )


@pytest.mark.parametrize("make", [job, template], ids=["Job", "JobTemplate"])
def test_a_new_job_without_replicas_is_allowed_with_a_warning(make: Any) -> None:
    asked = {key: value for key, value in task().items() if key != "replicas"}
    found = verdict(make(asked, minAvailable=0))
    assert (found.violations, [each for each in found.warnings if "replicas" in each]) == (
        (),
        ["spec.tasks: no task has replicas (absent means 0): no pod will run until replicas are set"],
    )
    assert verdict(make(task(replicas=0), minAvailable=0), make(asked, minAvailable=0)).warnings == ()


@pytest.mark.parametrize("make", [job, template])
def test_a_misspelt_field_of_a_pod_template_is_warned_about_with_the_nearest_name(make: Any) -> None:
    found = verdict(
        make(task(template=pod_template(nodeselector={"gpu": "yes"}, **{"x" * 99: 1}))), None, known(queue())
    )
    assert found.allowed
    assert found.warnings == (
        'spec.tasks[0].template.spec.nodeselector: unknown field; did you mean "nodeSelector"?',
        f"spec.tasks[0].template.spec.{'x' * 99}: unknown field, which is ignored",
    )


def test_unknown_fields_are_warned_about_on_creation_and_their_number_is_bounded() -> None:
    made = job(task(template=pod_template(**{f"x{number}": 1 for number in range(30)})))
    assert len(verdict(made, None, known(queue())).warnings) == 21
    scaled = job(task(replicas=3, template=pod_template(**{f"x{number}": 1 for number in range(30)})))
    assert verdict(scaled, made, known(queue())).warnings == ()


DISABLED: dict[str, tuple[Body, list[str]]] = {
    "itself": (
        {"ssh": []},
        ["spec.plugins.ssh: Forbidden: plugin ssh is disabled in this cluster; ask its administrator to enable it"],
    ),
    "by a plugin that needs it": (
        {"mpi": ["--master=w"]},
        [
            "spec.plugins.ssh: Forbidden: plugin ssh is disabled in this cluster (mpi needs it); ask its administrator to enable it"
        ],
    ),
    "not at all": ({"svc": []}, []),
}


@pytest.mark.parametrize("case", DISABLED)
@pytest.mark.parametrize("make", [job, template])
def test_a_disabled_plugin_is_refused_if_it_is_used(make: Any, case: str) -> None:
    plugins, wanted = DISABLED[case]
    options = AdmissionOptions(disabled_plugins=("ssh",))
    found = validate(review(make(task("w"), plugins=plugins)), known(queue()), options)
    assert [str(each) for each in found.violations if "disabled" in str(each)] == wanted


def suspended(value: bool, **spec: Any) -> Body:
    template = {"metadata": {}, **pod_template(**spec)}
    return job(task(template=template, minAvailable=2, maxRetry=3), suspend=value, minAvailable=2, maxRetry=3)


KUEUE = {
    "nodeSelector": {"pool": "a"},
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "containers": [{"name": "main", "image": "busybox", "resources": {"requests": {"cpu": "2"}}}],
}


def test_placement_of_a_suspended_job_may_change_also_while_it_is_resumed() -> None:
    for value in (True, False):
        assert faults(suspended(value, **KUEUE), suspended(True)) == []


def test_placement_of_a_running_job_and_the_image_of_a_suspended_one_are_frozen() -> None:
    assert sorted(each.split(":")[0] for each in faults(suspended(False, **KUEUE), suspended(False))) == [
        "spec.tasks[0].template.spec.containers[0].resources",
        "spec.tasks[0].template.spec.nodeSelector",
        "spec.tasks[0].template.spec.tolerations",
    ]
    image = suspended(True, containers=[{"name": "main", "image": "other"}])
    assert [each.split(":")[0] for each in faults(image, suspended(True))] == [
        "spec.tasks[0].template.spec.containers[0].image"
    ]
