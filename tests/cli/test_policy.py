"""`jobflow policy test|explain|scan`: the policies of examples/policies, cases that fail, and input that is wrong."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from shared import kinds
from shared.model.types import Body
from tests.cli.make import CliCommand, lines, write
from tests.webhook.make import body, flow, job, step, task

LIBRARY = Path("examples/policies")
POLICY: Body = {
    "apiVersion": "policy.jobflow.dev/v1alpha1",
    "kind": "JobFlowPolicy",
    "metadata": {"name": "small"},
    "spec": {"limits": {"maxReplicas": 2}, "defaults": {"queue": "team"}},
}


def a_test(folder: Path, *cases: Body, policies: Sequence[Body] = (POLICY,), **more: Any) -> str:
    resources = [
        job(task(replicas=1), name="one", queue=None),
        job(task(replicas=9), name="nine", queue=None),
        flow(step("a")),
    ]
    made = {"kind": "PolicyTest", "policies": list(policies), "resources": resources, "cases": list(cases)} | more
    path = folder / "policy-test.yaml"
    path.write_text(yaml.safe_dump(made))
    return str(path)


def test_every_policy_of_the_library_has_a_test_and_passes_it(command: CliCommand) -> None:
    policies = {path.stem for path in LIBRARY.glob("*.yaml")}
    assert len(policies) >= 15
    assert {path.stem for path in (LIBRARY / "tests").glob("*.yaml")} == policies | {"resources"}
    ran = command("policy", "test", str(LIBRARY / "tests"))
    assert (ran.code, ran.err) == (0, "")
    assert lines(ran.out)[-1].endswith("passed, 0 failed")


def test_a_case_that_fails_says_how_the_outcome_differs(command: CliCommand, tmp_path: Path) -> None:
    file = a_test(
        tmp_path,
        {"resource": "Job/one", "expect": "denied"},
        {"resource": "Job/nine", "expect": "allowed"},
        {"resource": "Job/nine", "expect": "denied", "messages": ["no such words"]},
        {"resource": "Job/one", "patched": {"spec.queue": "other", "spec.tasks[0].replicas": 1}},
        {"name": "right", "resource": "Job/one", "patched": {"spec.queue": "team", "spec.absent": None}},
    )
    ran = command("policy", "test", file)
    assert ran.code == 1
    assert "expected: denied; it is allowed" in ran.out
    assert "expected: allowed; it is denied: spec.tasks: " in ran.out
    assert 'no message contains "no such words"' in ran.out
    assert 'spec.queue: expected "other"; it is "team"' in ran.out
    assert "  ok      right" in ran.out
    assert lines(ran.out)[-1] == "5 cases: 1 passed, 4 failed"


def test_a_case_without_any_policy_fault_does_not_hide_that_the_webhook_refuses_the_object(
    command: CliCommand, tmp_path: Path
) -> None:
    file = a_test(tmp_path, {"resource": "JobFlow/f"}, resources=[flow(step("a", "b"))])
    ran = command("policy", "test", file)
    assert ran.code == 1
    assert "the webhook refuses the object without any policy: spec.flows[0].dependsOn.targets[0]" in ran.out


@pytest.mark.parametrize("form", ["junit", "sarif", "json"])
def test_tools_get_each_failure(form: str, command: CliCommand, tmp_path: Path) -> None:
    file = a_test(tmp_path, {"resource": "Job/nine"}, {"resource": "Job/one", "name": "<good> & right"})
    ran = command("policy", "test", file, "-o", form)
    assert ran.code == 1
    if form == "junit":
        suite = ElementTree.fromstring(ran.out).find("testsuite")
        assert suite is not None
        assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
        assert [case.get("name") for case in suite] == ["CREATE Job/nine is allowed", "<good> & right"]
    elif form == "sarif":
        (result,) = json.loads(ran.out)["runs"][0]["results"]
        assert result["message"]["text"].startswith("CREATE Job/nine is allowed: expected: allowed; it is denied")
    else:
        (read,) = json.loads(ran.out)
        assert [bool(each["faults"]) for each in read["results"]] == [True, False]


WRONG: dict[str, tuple[Body, str]] = {
    "an unknown resource": (
        {"resource": "Job/two"},
        'cases[0].resource: no Job named "two" among the resources: Job/one',
    ),
    "a deletion": ({"resource": "Job/one", "operation": "DELETE"}, "cases[0].operation: policies do not judge DELETE"),
    "an unknown field": ({"resource": "Job/one", "expects": "denied"}, "unknown field `expects`"),
    "an unknown expectation": ({"resource": "Job/one", "expect": "refused"}, "Invalid enum value 'refused'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_test_is_an_error_that_names_file_and_field(case: str, command: CliCommand, tmp_path: Path) -> None:
    given, words = WRONG[case]
    file = a_test(tmp_path, given)
    ran = command("policy", "test", file)
    assert ran.code == 2
    assert words in ran.err
    assert file in ran.err


def test_a_file_without_policy_or_test_is_an_error(command: CliCommand, tmp_path: Path) -> None:
    ran = command("policy", "test", a_test(tmp_path, {"resource": "Job/one"}, policies=[job()]))
    assert (ran.code, "policies: must be one or more JobFlowPolicies" in ran.err) == (2, True)
    other = write(tmp_path / "other.yaml", job())
    ran = command("policy", "test", other)
    assert (ran.code, "Job is not a PolicyTest" in ran.err) == (2, True)


def test_explain_shows_what_applies_fails_passes_and_is_set(command: CliCommand, tmp_path: Path) -> None:
    manifest = write(tmp_path / "job.yaml", job(task(replicas=9), queue=None), body_of_a_kind_without_policies())
    policy = write(tmp_path / "policy.yaml", POLICY)
    elsewhere = {**POLICY, "metadata": {"name": "flows"}, "spec": {"match": {"kinds": ["JobFlow"]}}}
    other = write(tmp_path / "other.yaml", elsewhere)
    ran = command("policy", "explain", manifest, "--policy", policy, "--policy", other)
    assert ran.code == 1
    assert lines(ran.out) == [
        "Job/demo",
        "  flows (Enforce) does not apply: match.kinds: JobFlow",
        "  small (Enforce) applies",
        "    FAILED   limits.maxReplicas: spec.tasks: 9 pods in total, a Job may have at most 2",
        '    default  spec.queue: "team"',
    ]


def body_of_a_kind_without_policies() -> Body:
    return body(kinds.QUEUE, "q", {"weight": 1})


def test_explain_judges_the_job_inside_a_cron_job(command: CliCommand, tmp_path: Path) -> None:
    cron = body(
        kinds.CRONJOB,
        "nightly",
        {"schedule": "0 2 * * *", "jobTemplate": {"spec": job(task(replicas=9), queue=None)["spec"]}},
    )
    ran = command(
        "policy", "explain", write(tmp_path / "cron.yaml", cron), "--policy", write(tmp_path / "p.yaml", POLICY)
    )
    assert ran.code == 1
    assert lines(ran.out)[0] == "CronJob/nightly"
    assert "FAILED   limits.maxReplicas: spec.jobTemplate.spec.tasks: 9 pods in total" in ran.out
    assert 'default  spec.jobTemplate.spec.queue: "team"' in ran.out
