"""The policies in examples/policies do what their comments say."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.model.types import Body
from tests.webhook.make import defaulted, faults, flow, job, known, pod_template, review, step, task, template
from webhook.verdict.admit import validate

FOLDER = Path("examples/policies")


def policies(name: str) -> list[Body]:
    return list(yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text()))


def namespace(**labels: str) -> Body:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns1", "labels": labels}}


def pods(**spec: Any) -> Body:
    return job(task(template=pod_template(**spec)))


def main(**more: Any) -> list[Body]:
    return [{"name": "main", "image": "busybox", **more}]


LARGE = {"jobflow.dev/size": "large"}
FLOWS = tuple(flow(step("a"), name=f"f{number}") for number in range(10))
JOBS = tuple(job(name=f"j{number}") for number in range(50))
VIOLATIONS: dict[str, tuple[str, Body, tuple[Body, ...], list[str]]] = {
    "a company image": ("company-registries", pods(containers=main(image="registry.example.com/a/b:1")), (), []),
    "a library image": ("company-registries", pods(), (), []),
    "a stranger's image": (
        "company-registries",
        pods(initContainers=main(image="quay.io/x/y")),
        (),
        ["allowed.images"],
    ),
    "a stranger's image in a template": (
        "company-registries",
        template(task(template=pod_template(containers=main(image="ghcr.io/x")))),
        (),
        ["allowed.images"],
    ),
    "no requests": ("requests-required", pods(), (), ["required.resourceRequests"] * 2 + ["required.resourceLimits"]),
    "requests and limits": (
        "requests-required",
        pods(containers=main(resources={"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}})),
        (),
        [],
    ),
    "too many pods": ("size-by-namespace", job(task(replicas=9)), (namespace(),), ["limits.maxReplicas"]),
    "as many pods in a large namespace": ("size-by-namespace", job(task(replicas=9)), (namespace(**LARGE),), []),
    "too many even there": (
        "size-by-namespace",
        job(task(replicas=513)),
        (namespace(**LARGE),),
        ["limits.maxReplicas"],
    ),
    "a queue of another team": ("team-queue", job(queue="q1"), (namespace(team="vision"),), ["allowed.queues"]),
    "a queue of another team elsewhere": ("team-queue", job(queue="q1"), (namespace(team="sound"),), []),
    "a plain pod": ("no-host-access", pods(), (), []),
    "the node's network": ("no-host-access", pods(hostNetwork=True), (), ["rules.no-host-namespaces"]),
    "the node's processes": ("no-host-access", pods(hostPID=True), (), ["rules.no-host-namespaces"]),
    "the node's files": (
        "no-host-access",
        pods(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
        (),
        ["rules.no-host-path"],
    ),
    "other volumes": ("no-host-access", pods(volumes=[{"name": "v", "emptyDir": {}}]), (), []),
    "a privileged container": (
        "no-host-access",
        pods(containers=main(securityContext={"privileged": True})),
        (),
        ["rules.not-privileged"],
    ),
    "a privileged init container": (
        "no-host-access",
        pods(initContainers=main(name="i", securityContext={"privileged": True})),
        (),
        ["rules.not-privileged"],
    ),
    "no privileges": ("no-host-access", pods(containers=main(securityContext={"privileged": False})), (), []),
    "no deadline": ("deadline-required", flow(step("a")), (), ["rules.has-a-deadline"]),
    "a deadline": ("deadline-required", flow(step("a"), activeDeadlineSeconds=3600), (), []),
    "a deadline in a month": (
        "deadline-required",
        flow(step("a"), activeDeadlineSeconds=2_600_000),
        (),
        ["rules.has-a-deadline"],
    ),
    "a Job has no deadline": ("deadline-required", job(), (), []),
    "the tenth running flow": ("running-flows", flow(step("a")), FLOWS[:9], []),
    "the eleventh": ("running-flows", flow(step("a")), FLOWS, ["limits.maxActiveFlows"]),
    "the fiftieth Job": ("active-jobs", job(), JOBS[:49], []),
    "the fifty-first": ("active-jobs", job(), JOBS, ["limits.maxActiveJobs"]),
    "the eleventh, held": ("running-flows", flow(step("a"), suspend=True), FLOWS, []),
}


@pytest.mark.parametrize(("name", "manifest", "around", "rules"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_an_example_policy_refuses_what_its_comments_say(
    name: str, manifest: Body, around: tuple[Body, ...], rules: list[str]
) -> None:
    verdict = validate(review(manifest), known(*policies(name), *around))
    assert [each.rule for each in verdict.policies] == rules
    assert len([each for each in verdict.violations if "(policy " in each.message]) == len(rules)


def test_the_team_example_sets_queue_and_label() -> None:
    bare = {**job(), "spec": {"tasks": [task()]}}
    made = defaulted(bare, known(*policies("team-queue"), namespace(team="vision")))
    assert (made["spec"]["queue"], made["metadata"]["labels"]) == ("vision", {"team": "vision"})
    assert defaulted(bare, known(*policies("team-queue"), namespace()))["spec"]["queue"] == "default"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_policy_is_valid_and_covered_by_a_test(path: Path) -> None:
    """By a PolicyTest; those with subtler rules also by the table above."""
    assert {body["kind"] for body in policies(path.stem)} == {"JobFlowPolicy"}
    assert [fault for body in policies(path.stem) for fault in faults(body)] == []
    assert (FOLDER / "tests" / path.name).is_file()
