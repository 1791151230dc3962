"""The chart grants the processes exactly the rights that they use: none is missing and none is unused. Always on the
embedded server, which records the requests of each user."""

import time
from collections.abc import Iterator

import pytest
import yaml

from local.backends import EmbeddedBackend
from local.client.blocking import until
from local.client.rest import RestError
from shared.kinds import (
    CLUSTERREPORT,
    COMMAND,
    CONFIGMAP,
    CRD,
    CRONJOB,
    CRONJOBFLOW,
    CRONJOBFLOWBACKFILL,
    JOB,
    JOBFLOW,
    JOBFLOWPOLICY,
    JOBFLOWPOLICYEXCEPTION,
    JOBFLOWTEMPLATE,
    POD,
    POLICYREPORT,
    PRIORITYCLASS,
    QUEUE,
    REPORT,
    SECRET,
    Kind,
)
from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.e2e.jobs.test_jobs import a_job, a_task, ends, reaches
from tests.e2e.operations.rights import QUEUES, SWITCHES, UNUSED, WRITES, Right
from tests.e2e.schedules.test_schedules import cron_job, cron_job_flow
from tests.e2e.support.installation import EMPTY, NAME, Installation
from tests.e2e.support.installation import NAMESPACE as SYSTEM
from tests.e2e.support.policies import policy, reports_crd
from tests.e2e.support.reports import openreports_crds
from tests.e2e.support.scenario import Scenario, targets
from tests.helm.chart import render


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    with Installation(EmbeddedBackend()) as installation:
        installation.kube.apply(CRD, reports_crd())
        installation.install('--set-json=controller.extraArgs=["--scan-interval=1","--probe-allow-loopback"]')
        installation.testing("DELETE", "audit")
        installation.run()
        with installation.cluster.namespace("work"):
            everything(Scenario(installation.cluster, "work"))
            # Before the namespace is deleted, in which nothing may be created any more, not even an event.
            installation.cluster.processes.stop("controller")
        yield installation


def everything(scenario: Scenario) -> None:
    """Each thing that the processes can do, once."""
    for body in yaml.safe_load_all(QUEUES.read_text()):
        scenario.kube.apply(QUEUE if body["kind"] == "Queue" else PRIORITYCLASS, body)
    schedules(scenario)
    policies(scenario)
    flows(scenario)
    jobs(scenario)
    queues(scenario)
    scheduled(scenario)


def schedules(scenario: Scenario) -> None:
    """One of each kind. The runs are awaited last, as the first one is due within a minute only."""
    scenario.templates("work")
    meta = {"name": "daily", "namespace": scenario.namespace}
    flow = {"flows": [{"name": "a", "template": "work"}]}
    # Before the webhook refuses a schedule, it looks for the template that it does not know.
    with pytest.raises(RestError, match="schedules"):
        scenario.kube.create(CRONJOBFLOW, cron_job_flow(scenario.namespace, "never", schedules=["61 * * * *"]))
    scenario.kube.create(CRONJOBFLOW, cron_job_flow(scenario.namespace, "flows"))
    scenario.kube.create(
        JOBFLOWTEMPLATE,
        {
            "apiVersion": JOBFLOWTEMPLATE.api_version,
            "kind": "JobFlowTemplate",
            "metadata": meta,
            "spec": {"flow": flow},
        },
    )
    scenario.kube.create(CRONJOB, cron_job(scenario.namespace, "jobs"))
    times = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z"}
    scenario.kube.create(
        CRONJOBFLOWBACKFILL,
        {
            "apiVersion": CRONJOBFLOWBACKFILL.api_version,
            "kind": "CronJobFlowBackfill",
            "metadata": {"name": "past", "namespace": scenario.namespace},
            "spec": {"cronJobFlow": "flows"} | times,
        },
    )


def scheduled(scenario: Scenario) -> None:
    """The runs of `schedules`."""
    for kind, name, field in (
        (CRONJOB, "jobs", "lastScheduleTime"),
        (CRONJOBFLOW, "flows", "lastScheduleTime"),
        (CRONJOBFLOWBACKFILL, "past", "completionTime"),
    ):
        scenario.kube.wait(
            kind, scenario.namespace, name, lambda body, field=field: bool((body.get("status") or {}).get(field)), 90
        )


def policies(scenario: Scenario) -> None:
    """An object that violates the policy exists already; then the policy is deleted, and its report with it."""
    scenario.templates("a", "b")
    rules = [{"name": "never", "expression": "false", "message": "not now"}]
    here = {"matchLabels": {"kubernetes.io/metadata.name": scenario.namespace}}
    spec = {"match": {"namespaceSelector": here, "kinds": ["JobTemplate"]}, "rules": rules, "mode": "Audit"}
    scenario.kube.create(JOBFLOWPOLICY, policy("all", **spec))
    until(lambda: scenario.kube.list(POLICYREPORT, scenario.namespace), 30, lambda: "no report")
    scenario.templates("c")
    until(lambda: reported(scenario) >= {"a", "b", "c"}, 30, lambda: f"reported: {reported(scenario)}")
    for crd in openreports_crds():  # Reports replace them
        scenario.kube.apply(CRD, crd)
    until(lambda: not scenario.kube.list(POLICYREPORT, scenario.namespace), 30, lambda: "the report stays")
    scenario.templates("d")
    until(lambda: reported(scenario, REPORT) >= {"a", "b", "c", "d"}, 30, lambda: "no Report")
    excepted(scenario)
    scenario.kube.delete(JOBFLOWPOLICY, "", "all")
    until(lambda: not scenario.kube.list(REPORT, scenario.namespace), 30, lambda: "the Report stays")
    until(lambda: not scenario.kube.list(CLUSTERREPORT, ""), 30, lambda: "the ClusterReport stays")


def excepted(scenario: Scenario) -> None:
    """An exception without effect, whose state is shown. The webhook looks up a policy that is not in its cache."""
    spec = {
        "policies": [{"name": "all"}],
        "expiresAt": rfc3339(time.time() + 600),
        "reason": "a test",
    }
    allowed = {"exceptions": {"allowedNamespaces": [scenario.namespace], "maxDuration": "1h"}}
    allowed["limits"] = {"maxActiveJobs": 1000}  # from now on the webhook watches Jobs
    scenario.kube.patch(JOBFLOWPOLICY, "", "all", {"spec": allowed})
    body = {
        "apiVersion": JOBFLOWPOLICYEXCEPTION.api_version,
        "kind": JOBFLOWPOLICYEXCEPTION.kind,
        "metadata": {"name": "x", "namespace": scenario.namespace},
        "spec": spec,
    }
    with pytest.raises(RestError, match="no such JobFlowPolicy"):
        scenario.kube.create(JOBFLOWPOLICYEXCEPTION, {**body, "spec": {**spec, "policies": [{"name": "none"}]}})

    def created() -> bool:
        try:
            scenario.kube.create(JOBFLOWPOLICYEXCEPTION, body)
        except RestError:  # the webhook does not know yet that the policy allows it
            return False
        return True

    until(created, 15, lambda: "the exception is refused")
    scenario.kube.wait(
        JOBFLOWPOLICYEXCEPTION,
        scenario.namespace,
        "x",
        lambda body: (body.get("status") or {}).get("state") == "Active",
        30,
    )


def reported(scenario: Scenario, kind: Kind = POLICYREPORT) -> set[str]:
    reports = scenario.kube.list(kind, scenario.namespace)
    results = [result for report in reports for result in report.get("results") or ()]
    return {resource["name"] for result in results for resource in result.get("resources") or ()}


def flows(scenario: Scenario) -> None:
    """Outputs, probes, commands, a template that comes late, and an end of everything."""
    scenario.templates("say", termination_message="A")
    scenario.templates("long", seconds=600)
    scenario.flow("first", {"say": {"outputs": [{"name": "grade"}]}, "a": targets("say")}, jobRetainPolicy="delete")
    scenario.succeeds("first")
    probe = {"taskStatusList": [{"taskName": "w", "phase": "Running"}]}
    tcp = {"tcpSocketList": [{"taskName": "w", "port": 9}]}
    scenario.flow("second", {"long": (), "b": {"dependsOn": {"targets": ["long"], "probe": probe | tcp}}})
    scenario.reaches("second", "long", "Running")
    for action in ("SuspendJobFlow", "ResumeJobFlow", "TerminateJobFlow"):
        order(scenario, JOBFLOW, "second", action)
        until(lambda: not scenario.kube.list(COMMAND, scenario.namespace), 30, lambda: "the command stays")
    scenario.ended("second")
    scenario.flow("third", {"a": ()}, ttlSecondsAfterFinished=1)
    scenario.kube.wait_gone(JOBFLOW, scenario.namespace, "third", 60)


def order(scenario: Scenario, kind: Kind, name: str, action: str) -> None:
    """A Command for an object."""
    uid = scenario.kube.get(kind, scenario.namespace, name)["metadata"]["uid"]
    meta = {"generateName": "order-", "namespace": scenario.namespace}
    target = {"apiVersion": kind.api_version, "kind": kind.kind, "name": name, "uid": uid}
    body = {"apiVersion": COMMAND.api_version, "kind": "Command", "metadata": meta, "action": action}
    scenario.kube.create(COMMAND, body | {"target": target})


def jobs(scenario: Scenario) -> None:
    """Plugins, volumes, changed and damaged objects, commands, gangs, restarts, retention."""
    plugins: Body = {"ssh": [], "env": [], "svc": []}
    volumes = [
        {
            "mountPath": "/data",
            "volumeClaim": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    ]
    a_job(
        scenario,
        a_task("ps"),
        a_task("worker", replicas=2, seconds=60_000),
        name="all",
        plugins=plugins,
        volumes=volumes,
        queue="ai-training",
        minAvailable=3,
    )
    reaches(scenario, "Running", "all")
    damaged = {"data": {"ps.host": "bm93aGVyZQ=="}}
    scenario.kube.patch(CONFIGMAP, scenario.namespace, "all-svc", {"data": {"ps.host": "nowhere"}})
    scenario.kube.patch(SECRET, scenario.namespace, "all-ssh", {"data": {"config": damaged["data"]["ps.host"]}})
    healed(scenario)
    scenario.kube.patch(
        JOB, scenario.namespace, "all", [{"op": "replace", "path": "/spec/tasks/1/replicas", "value": 3}]
    )
    scenario.kube.wait(POD, scenario.namespace, "all-worker-2", lambda pod: True, 30)
    for action, wanted in (("AbortJob", "Aborted"), ("ResumeJob", "Running"), ("CompleteJob", "Completed")):
        order(scenario, JOB, "all", action)
        reaches(scenario, wanted, "all")
    a_job(scenario, a_task(), name="brief", ttlSecondsAfterFinished=1)
    scenario.kube.wait_gone(JOB, scenario.namespace, "brief", 60)
    a_job(
        scenario,
        a_task(annotations={"fail-first": "1"}),
        name="again",
        policies=[{"event": "PodFailed", "action": "RestartJob"}],
    )
    ends(scenario, "again")


def healed(scenario: Scenario) -> None:
    def look() -> bool:
        hosts = scenario.kube.get(CONFIGMAP, scenario.namespace, "all-svc")["data"]["ps.host"]
        config = scenario.kube.get(SECRET, scenario.namespace, "all-ssh")["data"]["config"]
        return bool(hosts != "nowhere" and config != "bm93aGVyZQ==")

    until(look, 90, lambda: "what was damaged stays so")


def queues(scenario: Scenario) -> None:
    """A missing queue is looked up; one without a parent gets one; closing and opening it also closes and opens its
    child."""
    with pytest.raises(RestError, match="nowhere"):
        a_job(scenario, a_task(), name="lost", queue="nowhere")
    for name, spec in (("parent", {}), ("child", {"parent": "parent"})):
        body = {
            "apiVersion": QUEUE.api_version,
            "kind": "Queue",
            "metadata": {"name": name},
            "spec": {"weight": 1} | spec,
        }
        scenario.kube.create(QUEUE, body)
    for action, wanted in (("CloseQueue", "Closed"), ("OpenQueue", "Open")):
        order(scenario, QUEUE, "parent", action)
        for name in ("parent", "child"):
            scenario.kube.wait(
                QUEUE, "", name, lambda queue, wanted=wanted: (queue.get("status") or {}).get("state") == wanted, 30
            )


def account(component: str) -> str:
    return f"system:serviceaccount:{SYSTEM}:{NAME}-{component}"


def asked(installed: Installation, component: str) -> set[Right]:
    return {
        (each["group"], each["resource"] + (f"/{each['subresource']}" if each["subresource"] else ""), each["verb"])
        for each in installed.testing("GET", f"permissions?user={account(component)}")
        if each["resource"]
    }


def granted(component: str, values: Body | None = None) -> set[Right]:
    """By the cluster's and the namespace's role together."""
    roles = [
        each
        for each in render(values, release="flows", namespace=SYSTEM)
        if each["kind"] in ("Role", "ClusterRole") and each["metadata"]["name"].endswith(f"-{component}")
    ]
    return {
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("component", ["controller", "webhook"])
def test_all_used_permissions_are_granted(installed: Installation, component: str) -> None:
    refused = [each for each in installed.testing("GET", f"audit?user={account(component)}") if each["code"] == 403]
    assert refused == []
    assert asked(installed, component) <= granted(component)


@pytest.mark.parametrize("component", ["controller", "webhook"])
def test_all_granted_permissions_are_used(installed: Installation, component: str) -> None:
    rights = granted(component)
    written = {(group, resource.partition("/")[0]) for group, resource, verb in rights if verb in WRITES}
    spare = {right for right in rights - asked(installed, component) if right not in UNUSED}
    # A read to find the result of a write whose answer was lost.
    assert {right for right in spare if right[2] != "get" or right[:2] not in written} == set()


def test_no_component_lists_secrets() -> None:
    for component in ("controller", "webhook"):
        assert {verb for _, resource, verb in granted(component) if resource == "secrets"} & {"list", "watch"} == set()


def test_no_permission_exceeds_its_purpose() -> None:
    for component in ("controller", "webhook"):
        rights = granted(component)
        assert not [right for right in rights if "*" in right], component
        assert not [right for right in rights if right[0] == "rbac.authorization.k8s.io"], component
    assert not [right for right in granted("webhook") if right[0] != "" and right[2] in WRITES - {"patch"}]


@pytest.mark.parametrize(("component", "values", "dropped"), SWITCHES.values(), ids=SWITCHES)
def test_disabled_features_have_no_permissions(component: str, values: Body, dropped: set[Right]) -> None:
    assert dropped <= granted(component)
    assert not dropped & granted(component, values)


def test_the_webhook_cannot_be_bypassed(installed: Installation) -> None:
    with pytest.raises(RestError, match="denied the request"):
        installed.kube.create(JOBFLOW, EMPTY)
