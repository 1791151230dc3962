"""The results of a scan: counts, the first violations, status, and the reports that change."""

from collections.abc import Iterable, Sequence

import msgspec
import pytest

from controller.decision import Action, Create, Delete, Patch
from controller.policy.decide import decide_reports
from controller.policy.scan_result import LISTED, REPORTED, FirstViolations, ScanResult
from controller.policy.status import policy_status
from shared.kinds import CLUSTERREPORT, JOB, JOBFLOW, JOBFLOWPOLICY, POLICYREPORT, REPORT, Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.policy import PolicyContext, PolicyFinding
from shared.violation import Violation

NOW = 1_767_323_045.9  # 2026-01-02T03:04:05Z
STAMP = {"seconds": 1_767_323_045, "nanos": 0}


def given(name: str = "f", namespace: str = "ns") -> PolicyContext:
    metadata = {"name": name, "namespace": namespace, "uid": f"u-{name}"}
    return PolicyContext(kind=JOBFLOW, body={"metadata": metadata}, namespace=namespace)


def finding(policy: str = "p", mode: str = "Enforce", rule: str = "limits.maxSteps") -> PolicyFinding:
    return PolicyFinding(policy, PolicyMode(mode), rule, "spec.flows", "too long", 3)


def scan_result(*found: tuple[PolicyContext, Iterable[PolicyFinding]]) -> ScanResult:
    made = ScanResult()
    for each, findings in found:
        made.add(each, findings)
    return made


def policy(status: Body | None = None, generation: int = 2) -> Body:
    metadata = {"name": "p", "generation": generation}
    body = {"apiVersion": JOBFLOWPOLICY.api_version, "kind": JOBFLOWPOLICY.kind, "metadata": metadata}
    return body | ({} if status is None else {"status": status})


def test_violations_are_counted_and_the_first_by_name_are_kept() -> None:
    made = scan_result(*((given(f"f{number:03}"), [finding()]) for number in reversed(range(50))))
    first = made.by_policy["p"]
    assert first.count == 50
    assert [seen.name for seen in first.items] == [f"f{number:03}" for number in range(LISTED)]


def test_status_shows_the_result_of_the_scan() -> None:
    made = scan_result((given("f"), [finding(), finding(rule="rules.x")]), (given("g"), []))
    status = policy_status(policy(), (), made.by_policy["p"], NOW)
    message = "spec.flows: Invalid value: 3: too long"
    assert status == {
        "observedGeneration": 2,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Compiled",
                "message": "expressions, patterns and selectors work",
                "observedGeneration": 2,
                "lastTransitionTime": "2026-01-02T03:04:05Z",
            }
        ],
        "violations": 2,
        "lastScanTime": "2026-01-02T03:04:05Z",
        "lastViolations": [
            {"kind": "JobFlow", "namespace": "ns", "name": "f", "rule": rule, "message": message}
            for rule in ("limits.maxSteps", "rules.x")
        ],
    }


def test_status_before_a_scan_keeps_the_violations_of_the_last_scan() -> None:
    before = policy_status(policy(), (), scan_result((given(), [finding()])).by_policy["p"], NOW)
    assert policy_status(policy(before), (), None, NOW + 99) == before, "nothing new: nothing to write"
    fresh = policy_status(policy(), (), None, NOW)
    assert set(fresh) == {"observedGeneration", "conditions"}


def test_a_policy_that_does_not_compile_is_not_ready_and_has_the_reason_in_its_message() -> None:
    before = policy_status(policy(), (), FirstViolations(LISTED), NOW - 60)
    faults = (Violation("spec.rules[0].expression", "1:1: no", "x"), Violation("spec.mode", "no", "y" * 3000))
    status = policy_status(policy(before, generation=3), faults, FirstViolations(LISTED), NOW)
    ready = status["conditions"][0]
    assert (ready["status"], ready["reason"], ready["observedGeneration"]) == ("False", "Invalid", 3)
    assert ready["message"].startswith('spec.rules[0].expression: Invalid value: "x": 1:1: no; spec.mode: ')
    assert len(ready["message"]) <= 1024
    assert ready["lastTransitionTime"] == "2026-01-02T03:04:05Z"
    again = policy_status(policy(status, generation=3), faults, FirstViolations(LISTED), NOW + 60)
    assert again["conditions"] == status["conditions"]


# --- reports ----------------------------------------------------------------------------------------------------------


def decided(
    made: ScanResult,
    old: Sequence[Body] = (),
    at: float = NOW,
    kind: Kind = POLICYREPORT,
) -> tuple[Action, ...]:
    """What is done where the cluster serves `kind`."""
    return decide_reports(made, {kind: old}, (), {}, at)


def only(actions: tuple[Action, ...]) -> Action:
    assert len(actions) == 1
    return actions[0]


def created(actions: tuple[Action, ...]) -> Create:
    action = only(actions)
    assert isinstance(action, Create)
    return action


def test_a_namespace_with_violations_gets_a_report() -> None:
    made = scan_result(
        (given(), [finding(), finding("q", "Warn", "rules.x")]), (given("g"), []), (given("h", "clean"), [])
    )
    change = created(decided(made))
    assert change.body["metadata"] == {
        "name": "jobflow-policies",
        "namespace": "ns",
        "labels": {"app.kubernetes.io/managed-by": "jobflow"},
    }
    assert change.body["summary"] == {"pass": 1, "fail": 1, "warn": 1, "error": 0, "skip": 0}
    assert change.body["results"][0] == {
        "policy": "p",
        "rule": "limits.maxSteps",
        "result": "fail",
        "source": "jobflow",
        "scored": True,
        "message": "spec.flows: Invalid value: 3: too long",
        "resources": [
            {
                "apiVersion": "flow.volcano.sh/v1alpha1",
                "kind": "JobFlow",
                "namespace": "ns",
                "name": "f",
                "uid": "u-f",
            }
        ],
        "properties": {"mode": "Enforce"},
        "timestamp": STAMP,
    }


MODES = {"Enforce": ("fail", True), "Audit": ("fail", True), "Warn": ("warn", False)}


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_a_result(mode: str) -> None:
    result = created(decided(scan_result((given(), [finding(mode=mode)])))).body["results"][0]
    assert (result["result"], result["scored"]) == MODES[mode]


def stored(*found: tuple[PolicyContext, Iterable[PolicyFinding]], at: float = NOW) -> Body:
    body = created(decided(scan_result(*found), at=at)).body
    return {**body, "metadata": {**body["metadata"], "resourceVersion": "7", "uid": "r"}}


def test_an_unchanged_report_is_not_written() -> None:
    found = (given(), [finding()])
    assert decided(scan_result(found), [stored(found)], NOW + 900) == ()


def test_a_changed_report_is_patched_and_keeps_the_times_of_known_results() -> None:
    known = (given(), [finding()])
    change = only(decided(scan_result(known, (given("g"), [finding()])), [stored(known)], NOW + 900))
    assert isinstance(change, Patch)
    assert isinstance(change.patch, dict)
    assert (change.name, change.uid, change.patch["metadata"]) == ("jobflow-policies", "r", {"resourceVersion": "7"})
    times = {result["resources"][0]["name"]: result["timestamp"]["seconds"] for result in change.patch["results"]}
    assert times == {"f": 1_767_323_045, "g": 1_767_323_945}


def test_a_report_without_violations_is_deleted_and_reports_of_others_stay() -> None:
    old = stored((given(), [finding()]))
    stranger = {"metadata": {"name": "cpol-x", "namespace": "ns"}}
    assert decided(ScanResult(), [stranger, old]) == (Delete(POLICYREPORT, "ns", "jobflow-policies", "r"),)


def test_a_job_is_reported_with_its_own_api_group() -> None:
    made = ScanResult()
    job = PolicyContext(kind=JOB, body={"metadata": {"name": "j", "namespace": "ns"}}, namespace="ns")
    made.add(job, [finding()])
    resource = created(decided(made)).body["results"][0]["resources"][0]
    assert resource == {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "namespace": "ns", "name": "j"}


# --- openreports.io, severity and exceptions --------------------------------------------------------------------------


def excepted(rule: str = "limits.maxSteps") -> PolicyFinding:
    return msgspec.structs.replace(finding(rule=rule), excepted_by="vendor", excepted_until="2026-02-01T00:00:00Z")


def test_reports_are_written_where_they_are_served_and_old_policy_reports_are_deleted() -> None:
    made, old = scan_result((given(), [finding()])), stored((given(), [finding()]))
    stranger = {"metadata": {"name": "cpol-x", "namespace": "ns"}}
    create, delete = decide_reports(made, {REPORT: [], POLICYREPORT: [stranger, old]}, (), {}, NOW)
    assert isinstance(create, Create)
    assert (create.kind, create.body["apiVersion"], create.body["kind"]) == (
        REPORT,
        "openreports.io/v1alpha1",
        "Report",
    )
    assert create.body["source"] == "jobflow"
    assert delete == Delete(POLICYREPORT, "ns", "jobflow-policies", "r")


def test_results_have_the_severity_of_their_policy() -> None:
    policies = [{**policy(), "spec": {"severity": "high"}}]
    made = scan_result((given(), [finding(), finding("q")]))
    results = created(decide_reports(made, {REPORT: []}, policies, {}, NOW)).body["results"]
    assert [(each["policy"], each.get("severity")) for each in results] == [("p", "high"), ("q", None)]


def test_an_excepted_violation_is_skipped_with_its_exception_and_is_not_counted_as_a_violation() -> None:
    made = scan_result((given(), [excepted(), finding(rule="rules.x")]), (given("g"), [excepted()]))
    body = created(decided(made, kind=REPORT)).body
    assert body["summary"] == {"pass": 0, "fail": 1, "warn": 0, "error": 0, "skip": 2}
    assert [each["result"] for each in body["results"]] == ["fail", "skip", "skip"]
    assert body["results"][1]["properties"] == {"mode": "Enforce", "exception": "vendor"}
    assert body["results"][1]["message"] == 'excepted by "vendor": spec.flows: Invalid value: 3: too long'
    assert body["results"][1]["scored"] is False
    status = policy_status(policy(), (), made.violations_of("p"), NOW)
    assert (status["violations"], status["excepted"], len(status["lastViolations"])) == (1, 2, 1)


def test_a_namespace_with_excepted_violations_only_has_a_report() -> None:
    made = scan_result((given(), [excepted()]))
    assert created(decided(made)).body["summary"]["skip"] == 1


def test_many_excepted_violations_do_not_displace_others_from_the_report() -> None:
    many = ((given(f"a{number:03}"), [excepted()]) for number in range(REPORTED + 5))
    body = created(decided(scan_result((given("z"), [finding()]), *many))).body
    assert len(body["results"]) == REPORTED
    assert body["results"][0]["resources"][0]["name"] == "z"
    assert body["summary"]["skip"] == REPORTED + 5


def cluster_report(made: ScanResult, *policies: Body, old: Sequence[Body] = (), **broken: Violation) -> Action:
    faults = {name: (fault,) for name, fault in broken.items()}
    return only(decide_reports(made, {CLUSTERREPORT: old}, policies, faults, NOW))


def named(name: str, **spec: str) -> Body:
    return {**policy(), "metadata": {"name": name, "uid": f"u-{name}"}, "spec": spec}


def test_the_cluster_report_has_a_result_for_each_policy() -> None:
    made = scan_result((given(), [finding("a"), finding("b", "Warn"), excepted()]))
    policies = [named("c", severity="low"), named("b", mode="Warn"), named("a"), named("broken"), named("p")]
    change = cluster_report(made, *policies, broken=Violation("spec.mode", "no", "x"))
    assert isinstance(change, Create)
    assert (change.kind, change.body["metadata"]["name"]) == (CLUSTERREPORT, "jobflow-policies")
    assert "namespace" not in change.body["metadata"]
    reported = [(each["policy"], each["result"], each["message"]) for each in change.body["results"]]
    assert reported == [
        ("a", "fail", "1 violations by stored objects"),
        ("b", "warn", "1 violations by stored objects"),
        ("broken", "error", 'not enforced: spec.mode: Invalid value: "x": no'),
        ("c", "pass", "no stored object violates it"),
        ("p", "pass", "no stored object violates it"),
    ]
    assert change.body["results"][3]["severity"] == "low"
    assert change.body["results"][4]["properties"] == {"mode": "Enforce", "violations": "0", "excepted": "1"}
    assert change.body["summary"] == {"pass": 2, "fail": 1, "warn": 1, "error": 1, "skip": 0}


def test_the_cluster_report_is_rewritten_only_if_it_changes_and_deleted_with_the_last_policy() -> None:
    first = cluster_report(ScanResult(), named("a"))
    assert isinstance(first, Create)
    old = {**first.body, "metadata": {**first.body["metadata"], "resourceVersion": "7", "uid": "r"}}
    assert decide_reports(ScanResult(), {CLUSTERREPORT: [old]}, [named("a")], {}, NOW + 900) == ()
    assert isinstance(cluster_report(scan_result((given(), [finding("a")])), named("a"), old=[old]), Patch)
    assert cluster_report(ScanResult(), old=[old]) == Delete(CLUSTERREPORT, "", "jobflow-policies", "r")


def test_without_any_served_kind_nothing_is_written() -> None:
    assert decide_reports(scan_result((given(), [finding()])), {}, [policy()], {}, NOW) == ()
