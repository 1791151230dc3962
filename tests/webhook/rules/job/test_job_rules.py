"""Rules of the tasks and policies of a Job, in tables of changed manifests and expected violations."""

import pytest

from shared.model.types import Body
from tests.webhook.make import faults, job, task
from tests.webhook.rules.job.parts import ACTIONS, FAILED, cpu, partitioned, policies
from webhook.hints.names import LABEL_FAULT, QUALIFIED_FAULT

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
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    manifest, wanted = REFUSED[case]
    found = faults(manifest)
    assert [fault[: len(start)] for fault, start in zip(found, wanted, strict=False)] == wanted
    assert len(found) == len(wanted)


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


def test_the_qualified_name_fault_is_kubernetes_own() -> None:
    (found,) = faults(job(name="a_"))
    assert (
        found
        == f'metadata.name: Invalid value: "a_": the name of a Job is used as a label of its pods: {QUALIFIED_FAULT}'
    )
