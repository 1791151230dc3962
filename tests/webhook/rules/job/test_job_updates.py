"""The queue of a new Job, and which fields of a stored Job may change."""

from typing import Any

import pytest

from shared.model.types import Body
from tests.webhook.make import faults, job, known, pod_template, queue, task
from tests.webhook.rules.job.parts import FAILED

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
