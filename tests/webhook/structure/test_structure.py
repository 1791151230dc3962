"""The policies that refuse broken graphs are generated; mutating webhooks refuse the same faults, with the full
messages."""

from pathlib import Path

import pytest
import yaml

from shared.model.types import Body
from tests.webhook.make import breaks_structure, envelope, faults, flow, job, review, step, task
from tests.webhook.server.serving import running
from tests.webhook.structure.graphs import random_flows, random_jobs
from webhook.structure import __main__ as command
from webhook.structure.policies import policies

BROKEN: dict[str, Body] = {
    "a cycle": flow(step("a", "c"), step("b", "a"), step("c", "b")),
    "a step that waits for itself": flow(step("a", "a")),
    "a missing target": flow(step("a"), step("bb", "aa"), maxRunning=-1),
    "two steps of one name": flow(step("a"), step("a")),
    "no steps": flow() | {"spec": {"flows": []}},
    "a cycle of tasks": job(task("a", dependsOn={"name": ["b"]}), task("b", dependsOn={"name": ["a"]})),
    "a minimum above the replicas": job(task("a", 2), minAvailable=3),
}


def test_the_generated_file_of_the_chart_is_up_to_date() -> None:
    assert command.main(["--check"]) == 0


def test_check_reports_an_outdated_file(tmp_path: Path) -> None:
    arguments = ["--file", str(tmp_path / "structure.yaml")]
    assert command.main([*arguments, "--check"]) == 1
    assert command.main(arguments) == 0
    assert command.main([*arguments, "--check"]) == 0
    assert yaml.safe_load((tmp_path / "structure.yaml").read_text()) == {"policies": policies()}


@pytest.mark.parametrize("case", BROKEN)
async def test_the_mutating_webhook_refuses_a_broken_graph_with_the_words_of_the_validating_one(case: str) -> None:
    manifest = BROKEN[case]
    path = f"/{manifest['kind'].lower()}s"
    async with running() as client:
        _, mutated = await client.post(f"{path}/mutate", envelope(review(manifest)))
        _, validated = await client.post(f"{path}/validate", envelope(review(manifest)))
    assert mutated["response"]["allowed"] is False
    assert mutated["response"]["status"] == validated["response"]["status"]


async def test_the_mutating_webhook_leaves_other_faults_to_the_validating_one() -> None:
    manifest = flow(step("a", retry={"limit": 5000}))
    assert faults(manifest)
    async with running() as client:
        _, mutated = await client.post("/jobflows/mutate", envelope(review(manifest)))
    assert mutated["response"]["allowed"] is True


def test_stored_faults_do_not_hinder_changes_that_leave_the_spec_alone() -> None:
    stored = flow(step("a", "a"))
    labelled = {**stored, "metadata": {**stored["metadata"], "labels": {"x": "y"}}}
    deleted = {**stored, "metadata": {**stored["metadata"], "deletionTimestamp": "2026-11-28T00:00:00Z"}}
    for new in (labelled, deleted):
        assert not breaks_structure(review(new, stored))


def test_what_has_a_broken_structure_is_refused() -> None:
    """So a refusal while mutating never hits what validating would accept."""
    for manifest in (*random_flows(300, 1), *random_jobs(300, 2)):
        if breaks_structure(review(manifest)):
            assert faults(manifest)
