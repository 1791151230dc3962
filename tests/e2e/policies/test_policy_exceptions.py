"""Exceptions to policies as users and administrators see them, and the reports of openreports.io."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from local.backends import Backend
from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import (
    CLUSTERREPORT,
    CRD,
    EVENT,
    JOBFLOW,
    JOBFLOWPOLICY,
    JOBFLOWPOLICYEXCEPTION,
    JOBTEMPLATE,
    REPORT,
)
from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.e2e.conftest import SPEED
from tests.e2e.support.policies import here, known_to_the_webhook, policy
from tests.e2e.support.reports import openreports_crds
from tests.e2e.support.scenario import Scenario, template

RULE = "allowed.images"


@pytest.fixture(scope="module")
def cluster(backend: Backend) -> Iterator[LocalCluster]:
    """One that serves Reports and whose controller scans all the time."""
    arguments = ("--no-leader-elect", "--scan-interval=1")
    options = ClusterOptions(nodes=1, cpu="64", memory="256Gi", speed=SPEED, controller_args=arguments)
    with LocalCluster(backend, options) as made:
        for crd in openreports_crds():
            made.kube.apply(CRD, crd)
        yield made


@pytest.fixture
def house(scenario: Scenario) -> Iterator[str]:
    """A policy that forbids the image of every template of the namespace, and allows exceptions of up to an hour."""
    name = f"{scenario.namespace}-house"
    spec = {
        "match": {"namespaceSelector": here(scenario)},
        "severity": "high",
        "exceptions": {"allowedNamespaces": [scenario.namespace], "maxDuration": "1h"},
        "allowed": {"images": ["registry.corp/*"]},
    }
    scenario.cluster.kubectl.apply(policy(name, **spec))
    known_to_the_webhook(scenario, name)
    yield name
    scenario.kube.delete(JOBFLOWPOLICY, "", name)


def exception(scenario: Scenario, house: str, *rules: str, name: str = "x", seconds: float = 600, **match: Any) -> Body:
    spec = {
        "policies": [{"name": house, "rules": list(rules)}],
        "expiresAt": rfc3339(time.time() + seconds),
        "reason": "until the image is mirrored",
        "match": match,
    }
    return {
        "apiVersion": JOBFLOWPOLICYEXCEPTION.api_version,
        "kind": JOBFLOWPOLICYEXCEPTION.kind,
        "metadata": {"name": name, "namespace": scenario.namespace},
        "spec": spec,
    }


def tried(scenario: Scenario, name: str = "t", *, dry: bool = True, **labels: str) -> str:
    """What kubectl says of a template whose image the policy forbids."""
    body = template(scenario.namespace, name)
    body["metadata"]["labels"] = labels
    how = ("--dry-run=server",) if dry else ()
    done = scenario.cluster.kubectl("apply", *how, "-f", "-", stdin=str(yaml.safe_dump(body)), check=False)
    return done.stderr + done.stdout


def says(scenario: Scenario, words: str, *others: str, **labels: str) -> None:
    """Wait until the webhook has seen the change; then its message."""
    until(lambda: words in tried(scenario, **labels), 15, lambda: tried(scenario, **labels))
    answer = tried(scenario, **labels)
    for more in others:
        assert more in answer


def state(scenario: Scenario, wanted: str, name: str = "x") -> Body:
    return scenario.kube.wait(
        JOBFLOWPOLICYEXCEPTION,
        scenario.namespace,
        name,
        lambda body: (body.get("status") or {}).get("state") == wanted,
        30,
    )


def test_an_exception_and_what_it_allows_come_in_one_apply(scenario: Scenario, house: str) -> None:
    assert "not allowed; allowed: registry.corp/*" in tried(scenario)
    both = [exception(scenario, house, RULE), template(scenario.namespace, "t")]
    done = scenario.cluster.kubectl("apply", "-f", "-", stdin=str(yaml.safe_dump_all(both)))
    assert f'Warning: policy {house} ({RULE}): excepted by "x" until ' in done.stderr
    assert "jobtemplate.flow.volcano.sh/t created" in done.stdout
    condition = state(scenario, "Active")["status"]["conditions"][0]
    assert (condition["type"], condition["status"]) == ("Effective", "True")
    shown = scenario.cluster.kubectl("get", "jfpe", "-n", scenario.namespace).stdout.splitlines()
    assert shown[0].split() == ["NAME", "POLICIES", "STATE", "EXPIRES", "AGE"]
    assert shown[1].split()[:3] == ["x", f'["{house}"]', "Active"]
    scenario.kube.delete(JOBFLOWPOLICYEXCEPTION, scenario.namespace, "x")
    until(lambda: "not allowed" in tried(scenario, "u"), 15, lambda: tried(scenario, "u"))


def test_reports_show_severity_exception_and_policies(scenario: Scenario, house: str) -> None:
    scenario.kube.apply(JOBFLOWPOLICYEXCEPTION, exception(scenario, house, names=["t"]))
    until(lambda: "created" in tried(scenario, dry=False), 15, lambda: tried(scenario))
    report = scenario.kube.wait(REPORT, scenario.namespace, "jobflow-policies", lambda body: bool(body["results"]), 30)
    (result,) = report["results"]
    assert (report["source"], report["summary"]["skip"]) == ("jobflow", 1)
    assert (result["policy"], result["rule"], result["result"], result["severity"]) == (house, RULE, "skip", "high")
    assert result["properties"] == {"mode": "Enforce", "exception": "x"}
    assert result["timestamp"]["seconds"] > 0
    scenario.kube.delete(JOBFLOWPOLICYEXCEPTION, scenario.namespace, "x")
    scenario.kube.wait(REPORT, scenario.namespace, "jobflow-policies", lambda body: body["summary"]["fail"] == 1, 30)
    cluster_report = scenario.kube.wait(
        CLUSTERREPORT, "", "jobflow-policies", lambda body: outcome(body, house) == "fail", 30
    )
    assert cluster_report["summary"]["fail"] >= 1
    scenario.kube.delete(JOBTEMPLATE, scenario.namespace, "t")
    scenario.kube.wait_gone(REPORT, scenario.namespace, "jobflow-policies")


def outcome(report: Body, name: str) -> str:
    return next((str(each["result"]) for each in report["results"] if each["policy"] == name), "")


def test_an_exception_ends_by_itself(scenario: Scenario, house: str) -> None:
    scenario.kube.apply(JOBFLOWPOLICYEXCEPTION, exception(scenario, house, seconds=8))
    says(scenario, 'excepted by "x" until ')
    state(scenario, "Expired")
    says(scenario, 'exception "x" expired at ', "not allowed")
    metadata = scenario.kube.get(JOBFLOWPOLICYEXCEPTION, scenario.namespace, "x")["metadata"]

    def reported() -> bool:
        events = scenario.kube.list(EVENT, scenario.namespace)
        return any(each["reason"] == "Expired" and each["involvedObject"]["uid"] == metadata["uid"] for each in events)

    until(reported, 15, lambda: "no event")
    counted = f'jobflow_policy_exceptions_expired_total{{namespace="{scenario.namespace}"}} 1.0'
    assert counted in scenario.cluster.metrics("controller")


def test_an_exception_lets_a_flow_start_beyond_a_quota(scenario: Scenario) -> None:
    name = f"{scenario.namespace}-quota"
    spec = {
        "match": {"namespaceSelector": here(scenario)},
        "exceptions": {"allowedNamespaces": [scenario.namespace], "maxDuration": "1h"},
        "limits": {"maxActiveFlows": 1, "maxHeldFlows": 5},
    }
    scenario.cluster.kubectl.apply(policy(name, **spec))
    known_to_the_webhook(scenario, name)
    scenario.templates("a", seconds=600)
    scenario.flow("first", {"a": ()})
    scenario.reaches("first", "a", "Running")
    for waiting in ("second", "third"):
        scenario.flow(waiting, {"a": ()})
        scenario.kube.wait(JOBFLOW, scenario.namespace, waiting, is_held, 30)
    scenario.kube.create(JOBFLOWPOLICYEXCEPTION, exception(scenario, name, "limits.maxActiveFlows", names=["third"]))
    scenario.reaches("third", "a", "Running")
    assert is_held(scenario.get("second"))
    scenario.kube.delete(JOBFLOWPOLICY, "", name)


def is_held(flow: Body) -> bool:
    return bool(((flow.get("status") or {}).get("state") or {}).get("reason") == "QuotaExceeded")


# --- attempts ---------------------------------------------------------------------------------------------------------


def test_a_stored_exception_cannot_be_changed(scenario: Scenario, house: str) -> None:
    scenario.kube.apply(JOBFLOWPOLICYEXCEPTION, exception(scenario, house, RULE, names=["other"]))
    for change in (
        {"expiresAt": rfc3339(time.time() + 3000)},
        {"match": {"names": ["*"]}},
        {"match": None},
        {"policies": [{"name": house}]},
        {"match": {"objectSelector": {"matchLabels": {"a": "b"}}}},
    ):
        with pytest.raises(RestError, match="may not be changed; create another"):
            scenario.kube.patch(JOBFLOWPOLICYEXCEPTION, scenario.namespace, "x", {"spec": change})
    changed = scenario.kube.patch(JOBFLOWPOLICYEXCEPTION, scenario.namespace, "x", {"metadata": {"labels": {"a": "b"}}})
    assert changed["metadata"]["generation"] == 1
    says(scenario, "not allowed")


def test_the_status_and_dates_that_a_user_writes_have_no_effect(scenario: Scenario, house: str) -> None:
    forged = exception(scenario, house, seconds=7200)
    forged["metadata"] |= {"creationTimestamp": rfc3339(time.time() + 7000), "generation": 1}
    forged["status"] = {"state": "Active"}
    with pytest.raises(RestError, match="allows at most 1h0m0s"):
        scenario.kube.create(JOBFLOWPOLICYEXCEPTION, forged)
    says(scenario, "not allowed")


REFUSED: dict[str, tuple[Callable[[Scenario, str], Body], str]] = {
    "longer than allowed": (lambda scenario, house: exception(scenario, house, seconds=4000), "allows at most 1h0m0s"),
    "in the past": (lambda scenario, house: exception(scenario, house, seconds=-5), "must be in the future"),
    "a rule that does not exist": (
        lambda scenario, house: exception(scenario, house, "allowed.image"),
        'did you mean "allowed.images"?',
    ),
    "a policy that does not exist": (
        lambda scenario, house: exception(scenario, f"{house}-2"),
        "no such JobFlowPolicy",
    ),
    "a selector that would select everything": (
        lambda scenario, house: exception(scenario, house, objectSelector={"matchLabel": {"a": "b"}}),
        "spec.match.objectSelector.matchLabel",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_exception_that_is_not_allowed_is_refused(scenario: Scenario, house: str, case: str) -> None:
    make, words = REFUSED[case]
    assert words in scenario.cluster.kubectl.refusal(make(scenario, house))


def test_an_exception_of_another_namespace_is_refused_and_would_have_no_effect(scenario: Scenario, house: str) -> None:
    with scenario.cluster.namespace(f"{scenario.namespace}-2") as other:
        there = exception(scenario, house)
        there["metadata"]["namespace"] = other
        assert f'allows no exceptions in namespace "{other}"' in scenario.cluster.kubectl.refusal(there)
    says(scenario, "not allowed")


def test_a_policy_that_stops_allowing_exceptions_ends_those_that_exist(scenario: Scenario, house: str) -> None:
    scenario.kube.apply(JOBFLOWPOLICYEXCEPTION, exception(scenario, house))
    says(scenario, 'excepted by "x"')
    shorter = {"spec": {"exceptions": {"maxDuration": "1m"}}}
    scenario.kube.patch(JOBFLOWPOLICY, "", house, shorter)
    says(scenario, f'exception "x" has no effect: policy "{house}" allows at most 1m0s')
    state(scenario, "Ineffective")
    scenario.kube.patch(JOBFLOWPOLICY, "", house, {"spec": {"exceptions": None}})
    says(scenario, f'exception "x" has no effect: policy "{house}" allows no exceptions)')


def test_labels_of_users_fit_only_what_the_exception_names(scenario: Scenario, house: str) -> None:
    match = {"names": ["vendor-*"], "objectSelector": {"matchLabels": {"vendor": "yes"}}}
    scenario.kube.apply(JOBFLOWPOLICYEXCEPTION, exception(scenario, house, RULE, **match))
    until(lambda: "excepted by" in tried(scenario, "vendor-a", vendor="yes"), 15, lambda: "not known")
    assert "not allowed" in tried(scenario, "a", vendor="yes")
    assert "not allowed" in tried(scenario, "vendor-a")
    assert "created" in tried(scenario, "vendor-a", dry=False, vendor="yes")
    with pytest.raises(RestError, match="not allowed"):
        scenario.kube.patch(JOBTEMPLATE, scenario.namespace, "vendor-a", {"metadata": {"labels": {"vendor": None}}})
    # What the exception does not name stays refused, with the same labels.
    scenario.kube.patch(JOBFLOWPOLICY, "", house, {"spec": {"required": {"labels": ["team"]}}})
    until(
        lambda: "metadata.labels[team]" in tried(scenario, "vendor-b", vendor="yes"),
        15,
        lambda: tried(scenario, "vendor-b", vendor="yes"),
    )
