"""Rules of volumes, plugins, dependencies, partitions and sizes of a Job, in a table."""

from typing import Any

import pytest

from shared.model.types import Body
from tests.webhook.make import faults, job, known, pod_template, queue, review, task, template
from tests.webhook.rules.job.parts import CLAIM, cpu, partitioned
from webhook.hints.names import SUBDOMAIN_FAULT
from webhook.verdict.admit import validate
from webhook.verdict.kind_admission import AdmissionOptions

REFUSED_PARTS = {
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


@pytest.mark.parametrize("case", REFUSED_PARTS)
def test_refused_parts(case: str) -> None:
    manifest, wanted = REFUSED_PARTS[case]
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
