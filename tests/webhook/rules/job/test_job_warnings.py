"""Warnings about Jobs."""

from typing import Any

import pytest

from shared.model.types import Body
from tests.webhook.make import job, known, pod_template, queue, task, template, verdict
from tests.webhook.rules.job.parts import policies

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
        ['spec.policies[0]: "CommandIssued", "OutOfSync" are never raised: the policy does not act on it'],
    ),
    "a network topology, which only Volcano's scheduler knows": (
        job(networkTopology={"highestTierAllowed": 1}),
        [
            (
                "spec.networkTopology: only Volcano's scheduler looks at it; with the gang backends gate and native, "
                "the pods run anywhere"
            )
        ],
    ),
    "one that is wished for": (job(networkTopology={"mode": "soft", "highestTierAllowed": 1}), []),
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
