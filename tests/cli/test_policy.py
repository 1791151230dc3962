"""`jobflow policy test|explain|scan`: the policies of examples/policies, cases that fail, and input that is wrong."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from shared import kinds
from shared.model.types import Body
from shared.timestamp import rfc3339
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
    "a deletion": (
        {"resource": "Job/one", "operation": "DELETE"},
        "cases[0].operation: policies judge the deletion of JobFlow",
    ),
    "an unknown field": ({"resource": "Job/one", "expects": "denied"}, "cases[0]: unknown field expects; remove it"),
    "an unknown expectation": (
        {"resource": "Job/one", "expect": "refused"},
        "cases[0].expect: 'refused' is not a supported value",
    ),
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


def test_explain_shows_what_the_api_server_enforces_without_webhook(command: CliCommand, tmp_path: Path) -> None:
    stored = {**POLICY, "status": {"inProcess": {"rules": ["limits.maxReplicas"], "observedGeneration": 1}}}
    ran = command(
        "policy", "explain", write(tmp_path / "j.yaml", job()), "--policy", write(tmp_path / "p.yaml", stored)
    )
    assert "    without webhook: limits.maxReplicas" in lines(ran.out)


def body_of_a_kind_without_policies() -> Body:
    return body(kinds.QUEUE, "q", {"weight": 1})


def test_explain_does_not_say_that_there_is_room_in_a_quota_that_it_has_not_counted(
    command: CliCommand, tmp_path: Path
) -> None:
    limits = {**POLICY, "spec": {"limits": {"maxActiveJobs": 0, "maxReplicas": 100}}}
    ran = command(
        "policy", "explain", write(tmp_path / "j.yaml", job()), "--policy", write(tmp_path / "p.yaml", limits)
    )
    assert "limits.maxReplicas" in ran.out
    assert "limits.maxActiveJobs" not in ran.out


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


# --- exceptions -------------------------------------------------------------------------------------------------------

OPEN: Body = {**POLICY, "spec": {**POLICY["spec"], "exceptions": {"allowedNamespaces": ["*"], "maxDuration": "24h"}}}


def exception(expires: str, name: str = "big", **more: Any) -> Body:
    spec = {"policies": [{"name": "small", "rules": ["limits.maxReplicas"]}], "expiresAt": expires, "reason": "a test"}
    return {
        "apiVersion": "policy.jobflow.dev/v1alpha1",
        "kind": "JobFlowPolicyException",
        "metadata": {"name": name, **more},
        "spec": spec,
    }


def in_hours(hours: float) -> str:
    return rfc3339(time.time() + hours * 3600)


def test_explain_shows_what_an_exception_allows(command: CliCommand, tmp_path: Path) -> None:
    manifest = write(tmp_path / "job.yaml", job(task(replicas=9), queue=None))
    until = in_hours(2)
    given = write(tmp_path / "given.yaml", OPEN, exception(until, namespace="ns1"))
    ran = command("policy", "explain", manifest, "--policy", given)
    assert ran.code == 0
    assert (
        f'EXCEPTED limits.maxReplicas: spec.tasks: 9 pods in total, a Job may have at most 2 (excepted by "big" until {until})'
        in ran.out
    )
    assert "ok       limits.maxReplicas" not in ran.out


def test_explain_shows_why_an_exception_has_no_effect(command: CliCommand, tmp_path: Path) -> None:
    manifest = write(tmp_path / "job.yaml", job(task(replicas=9), queue=None))
    given = write(tmp_path / "given.yaml", OPEN, exception("2020-01-01T00:00:00Z", namespace="ns1"))
    ran = command("policy", "explain", manifest, "--policy", given)
    assert ran.code == 1
    assert 'at most 2 (exception "big" expired at 2020-01-01T00:00:00Z)' in ran.out


def test_explain_refuses_an_exception_that_cannot_be_read(command: CliCommand, tmp_path: Path) -> None:
    manifest = write(tmp_path / "job.yaml", job())
    given = write(tmp_path / "given.yaml", OPEN, exception("tomorrow"))
    ran = command("policy", "explain", manifest, "--policy", given)
    assert (ran.code, "the exception is invalid" in ran.err) == (2, True)


def test_lint_takes_no_exceptions(command: CliCommand, tmp_path: Path) -> None:
    manifest = write(tmp_path / "job.yaml", job())
    ran = command("lint", manifest, "--policy", write(tmp_path / "given.yaml", OPEN, exception(in_hours(1))))
    assert (ran.code, "lint takes no JobFlowPolicyException" in ran.err) == (2, True)


def test_lint_checks_an_exception_as_far_as_it_can(command: CliCommand, tmp_path: Path) -> None:
    good, bad = exception(in_hours(1)), exception("tomorrow")
    assert command("lint", write(tmp_path / "good.yaml", good)).code == 0
    ran = command("lint", write(tmp_path / "bad.yaml", bad))
    assert (ran.code, "spec.expiresAt" in ran.out) == (1, True)


def test_a_case_can_have_exceptions_and_a_time(command: CliCommand, tmp_path: Path) -> None:
    given = exception("2026-06-02T00:00:00Z", creationTimestamp="2026-06-01T12:00:00Z")
    excepted = 'excepted by "big" until 2026-06-02T00:00:00Z'
    file = a_test(
        tmp_path,
        {"resource": "Job/nine", "now": "2026-06-01T13:00:00Z", "messages": [excepted]},
        {
            "resource": "Job/nine",
            "now": "2026-06-02T00:00:00Z",
            "expect": "denied",
            "messages": ['exception "big" expired at 2026-06-02T00:00:00Z'],
        },
        {"resource": "Job/nine", "expect": "denied"},
        policies=[OPEN],
        exceptions=[given],
    )
    ran = command("policy", "test", file)
    assert ran.code == 0, ran.out


WRONG_EXCEPTIONS: dict[str, tuple[Body, list[Body], str]] = {
    "a time": ({"resource": "Job/one", "now": "noon"}, [], 'cases[0].now: "noon" is not an RFC 3339 time'),
    "another kind": ({"resource": "Job/one"}, [POLICY], "exceptions: must be JobFlowPolicyExceptions"),
}


@pytest.mark.parametrize("case", WRONG_EXCEPTIONS)
def test_wrong_exceptions_of_a_test_are_errors(case: str, command: CliCommand, tmp_path: Path) -> None:
    given, exceptions, words = WRONG_EXCEPTIONS[case]
    ran = command("policy", "test", a_test(tmp_path, given, exceptions=exceptions))
    assert (ran.code, words in ran.err) == (2, True)


def test_the_creation_of_an_exception_can_be_a_case(command: CliCommand, tmp_path: Path) -> None:
    file = a_test(
        tmp_path,
        {"resource": "JobFlowPolicyException/big", "now": "2026-06-01T13:00:00Z"},
        {"resource": "JobFlowPolicyException/big", "now": "2026-05-30T13:00:00Z", "expect": "denied"},
        policies=[OPEN],
        resources=[exception("2026-06-02T00:00:00Z")],
    )
    ran = command("policy", "test", file)
    assert ran.code == 0, ran.out
