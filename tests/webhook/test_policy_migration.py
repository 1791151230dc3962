"""Every JobFlowPolicy of the page for administrators who come from Kyverno or Gatekeeper does what the page says."""

import re
from pathlib import Path

import pytest
import yaml

from shared.model.types import Body
from tests.webhook.make import defaulted, job, known, task
from tests.webhook.policies.make import container, judged, labelled, namespace, pods

PAGE = Path("docs/from-kyverno-and-gatekeeper.md")
_YAML = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def policies() -> dict[str, Body]:
    bodies = [yaml.safe_load(block) for block in _YAML.findall(PAGE.read_text())]
    return {body["metadata"]["name"]: body for body in bodies if body["kind"] == "JobFlowPolicy"}


AMOUNTS: Body = {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
CASES: dict[str, tuple[Body, Body, str]] = {
    "restrict-image-registries": (
        pods(containers=[container(image="registry.example.com.evil.io/app")]),
        pods(containers=[container(image="registry.example.com/app")]),
        "allowed.registries",
    ),
    "disallow-latest-tag": (pods(), pods(containers=[container(image="busybox:1.36")]), "denied.imageTags"),
    "require-requests-limits": (
        pods(containers=[container(resources={"requests": {"cpu": 1, "memory": "1Gi"}})]),
        pods(containers=[container(resources=AMOUNTS)]),
        "required.resourceLimits",
    ),
    "all-have-a-team": (labelled(job(), team="Vision"), labelled(job(), team="vision"), "rules.team-is-a-word"),
    "replica-limits": (
        job(task(replicas=30), task("v", 21)),
        job(task(replicas=30), task("v", 20)),
        "limits.maxReplicas",
    ),
    "disallow-host-namespaces": (pods(hostNetwork=True), pods(), "rules.no-host-namespaces"),
}


@pytest.mark.parametrize("name", sorted({*policies()} - {"add-team-label"}))
def test_a_policy_of_the_page_refuses_and_accepts(name: str) -> None:
    bad, good, rule = CASES[name]
    refused = judged(bad, policies()[name], namespace())
    assert [each.rule for each in refused.policies] == [rule]
    assert not refused.allowed
    assert judged(good, policies()[name], namespace()).allowed


def test_the_label_of_the_page_needs_a_team_at_all() -> None:
    found = judged(job(), policies()["all-have-a-team"], namespace())
    assert [each.rule for each in found.policies] == ["required.labels"]


def test_the_defaults_of_the_page_are_set() -> None:
    made = defaulted(job(), known(policies()["add-team-label"], namespace(team="vision")))
    assert made["spec"]["priorityClassName"] == "batch"
    assert made["metadata"]["labels"] == {"team": "vision"}
