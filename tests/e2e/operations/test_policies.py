"""Policies as administrators and users see them: kubectl's denial, its warning, the audit log, defaults, the scan."""

import dataclasses
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.backends import RealBackend, chosen
from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import CRD, JOB, JOBFLOW, JOBFLOWPOLICY, JOBTEMPLATE, NAMESPACE, POLICYREPORT, QUEUE
from shared.model.types import Body
from tests.e2e.conftest import SPEED
from tests.e2e.support.scenario import Scenario, jobflow, template

EXAMPLES = Path("examples/policies")
DENY = {"rules": [{"name": "never", "expression": "false", "message": "not now"}]}


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    """One whose API server keeps an audit log and whose controller scans all the time."""
    backend = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    if isinstance(backend, RealBackend):
        backend = dataclasses.replace(backend, audit=True)
    arguments = ("--no-leader-elect", "--scan-interval=1")
    with LocalCluster(
        backend, ClusterOptions(nodes=2, cpu="64", memory="256Gi", speed=SPEED, controller_args=arguments)
    ) as made:
        made.kube.apply(CRD, reports_crd())
        yield made


@pytest.fixture
def policies(scenario: Scenario) -> Iterator[Callable[..., None]]:
    """Make policies for this scenario's namespace alone, and wait until the webhook knows them."""
    made: list[str] = []

    def make(name: str, **spec: Any) -> None:
        name = f"{scenario.namespace}-{name}"
        match = {**spec.pop("match", {}), "namespaceSelector": here(scenario)}
        body = policy(name, match=match, **spec)
        made.append(name)
        scenario.cluster.kubectl.apply(body)
        known_to_the_webhook(scenario, name)

    yield make
    for name in made:
        scenario.kube.delete(JOBFLOWPOLICY, "", name)


def known_to_the_controller(scenario: Scenario, name: str) -> None:
    def ready() -> bool:
        return bool((scenario.kube.get(JOBFLOWPOLICY, "", name).get("status") or {}).get("conditions"))

    until(ready, 30, lambda: f"the controller does not know {name}")


def here(scenario: Scenario) -> Body:
    return {"matchLabels": {"kubernetes.io/metadata.name": scenario.namespace}}


def policy(name: str, **spec: Any) -> Body:
    return {
        "apiVersion": JOBFLOWPOLICY.api_version,
        "kind": JOBFLOWPOLICY.kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def known_to_the_webhook(scenario: Scenario, name: str) -> None:
    """Until a later policy acts: the webhook's watch delivers them in the order in which they were created."""
    probe = policy(f"{name}-probe", match={"namespaceSelector": here(scenario), "kinds": ["JobTemplate"]}, **DENY)
    scenario.kube.create(JOBFLOWPOLICY, probe)
    path = f"/apis/{JOBTEMPLATE.api_version}/namespaces/{scenario.namespace}/jobtemplates?dryRun=All"

    def refused() -> bool:
        try:
            scenario.kube.request("POST", path, template(scenario.namespace, "probe"))
        except RestError as error:
            return f"{name}-probe" in error.message
        return False

    until(refused, 10, lambda: f"the webhook does not know {name}")
    scenario.kube.delete(JOBFLOWPOLICY, "", f"{name}-probe")
    until(lambda: not refused(), 10, lambda: "the webhook does not forget the probe")


def job(scenario: Scenario, name: str = "j", **spec: Any) -> Body:
    made = template(scenario.namespace, name)
    return {**made, "apiVersion": JOB.api_version, "kind": JOB.kind, "spec": {**made["spec"], **spec}}


def audited(cluster: LocalCluster, name: str) -> dict[str, str]:
    """The audit annotations of the writes of one object."""
    found: dict[str, str] = {}
    if cluster.endpoint.audit is not None and cluster.endpoint.audit.exists():
        for line in cluster.endpoint.audit.read_text().splitlines():
            event = json.loads(line)
            if (event.get("objectRef") or {}).get("name") == name:
                found |= event.get("annotations") or {}
    else:
        for _, named, annotations in cluster.kube.request("GET", "/testing/annotations"):
            found |= annotations if named == name else {}
    return found


Policies = Callable[..., None]


def test_kubectl_shows_the_denial_with_policy_rule_and_field(scenario: Scenario, policies: Policies) -> None:
    policies("small", limits={"maxSteps": 1}, required={"labels": ["team"]})
    reported = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "f", {"a": (), "b": ()}))
    name = f"{scenario.namespace}-small"
    for part in ("spec.flows", "has 2 steps, at most 1", "metadata.labels[team]", "limits.maxSteps", name):
        assert part in reported
    assert scenario.kube.find(JOBFLOW, scenario.namespace, "f") is None


def test_kubectl_shows_the_warning_and_the_flow_is_created(scenario: Scenario, policies: Policies) -> None:
    policies("w", mode="Warn", limits={"maxSteps": 1})
    body = jobflow(scenario.namespace, "f", {"a": (), "b": ()}, suspend=True)
    done = scenario.cluster.kubectl("apply", "-f", "-", stdin=str(yaml.safe_dump(body)))
    assert f"Warning: policy {scenario.namespace}-w (limits.maxSteps): spec.flows: has 2 steps" in done.stderr
    assert scenario.get("f")["spec"]["suspend"] is True


def test_an_audit_policy_is_silent_and_in_the_audit_log(scenario: Scenario, policies: Policies) -> None:
    policies("a", mode="Audit", limits={"maxSteps": 1})
    name = f"f-{scenario.namespace}"
    done = scenario.cluster.kubectl(
        "apply", "-f", "-", stdin=str(yaml.safe_dump(jobflow(scenario.namespace, name, {"a": (), "b": ()})))
    )
    assert "policy" not in done.stderr
    key = f"validate.jobflows.flow.volcano.sh/{scenario.namespace}-a"
    until(lambda: key in audited(scenario.cluster, name), 10, lambda: str(audited(scenario.cluster, name)))
    assert audited(scenario.cluster, name)[key].startswith("Audit limits.maxSteps: spec.flows: ")
    counted = f'jobflow_policy_violations_total{{kind="JobFlow",mode="Audit",policy="{scenario.namespace}-a"'
    assert counted in scenario.cluster.metrics("webhook")


def test_defaults_are_set_on_creation_only(scenario: Scenario, policies: Policies) -> None:
    queue = f"q-{scenario.namespace}"
    scenario.kube.apply(QUEUE, {"apiVersion": QUEUE.api_version, "kind": "Queue", "metadata": {"name": queue}})
    policies("d", defaults={"queue": queue, "labels": {"team": "vision"}, "activeDeadlineSeconds": 600})
    scenario.cluster.kubectl.apply([job(scenario), job(scenario, "k", queue="default")])
    made, own = (scenario.kube.get(JOB, scenario.namespace, name) for name in ("j", "k"))
    assert (made["spec"]["queue"], own["spec"]["queue"]) == (queue, "default")
    assert made["metadata"]["labels"]["team"] == "vision"
    scenario.cluster.kubectl.apply(job(scenario))
    assert scenario.kube.get(JOB, scenario.namespace, "j")["spec"] == made["spec"], "applying it again changes nothing"
    scenario.cluster.kubectl.apply(jobflow(scenario.namespace, "f", {"a": ()}, suspend=True))
    assert scenario.get("f")["spec"]["activeDeadlineSeconds"] == 600
    scenario.kube.patch(JOBFLOW, scenario.namespace, "f", {"spec": {"activeDeadlineSeconds": None, "parallelism": 1}})
    assert "activeDeadlineSeconds" not in scenario.get("f")["spec"]
    scenario.kube.delete(JOB, scenario.namespace, "j")
    scenario.kube.delete(JOB, scenario.namespace, "k")


def test_a_policy_that_does_not_compile_is_refused_with_position(scenario: Scenario) -> None:
    reported = scenario.cluster.kubectl.refusal(
        policy("bad", rules=[{"name": "r", "expression": "object.spec &&\n objet"}])
    )
    assert "spec.rules[0].expression" in reported
    assert 'undeclared name "objet"; did you mean "object"?' in reported


def test_policies_apply_to_jobs_created_for_a_flow(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a")
    policies("images", match={"kinds": ["Job"]}, allowed={"images": ["registry.corp/*"]})
    scenario.flow("f", {"a": ()})
    flow = scenario.ended("f")
    step = flow["status"]["steps"][0]
    assert (step["phase"], step["reason"]) == ("Failed", "InvalidJob")
    assert "allowed.images" in step["message"]


def test_policies_do_not_apply_to_an_exempt_controller(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a")
    policies("images", exempt={"groups": ["system:masters", "system:*"]}, allowed={"images": ["registry.corp/*"]})
    scenario.flow("f", {"a": ()})
    scenario.succeeds("f")


def test_the_number_of_running_flows_of_a_namespace_is_limited(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=60)
    policies("running", limits={"maxRunningFlows": 1})
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    reported = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "g", {"a": ()}))
    assert "has 1 active JobFlow, at most 1 may run at once" in reported
    scenario.flow("g", {"a": ()}, suspend=True)
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f")

    def resumed() -> bool:
        try:
            scenario.kube.patch(JOBFLOW, scenario.namespace, "g", {"spec": {"suspend": False}})
        except RestError as error:
            return "maxRunningFlows" not in error.message
        return True

    until(resumed, 15, lambda: "g may not run though f is gone")
    assert not scenario.get("g")["spec"].get("suspend")
    scenario.kube.delete(JOBFLOW, scenario.namespace, "g")


def age(scenario: Scenario, name: str) -> tuple[str, str]:
    """What quotas order flows by. Timestamps have whole seconds, so flows that are made one after the other may share one."""
    metadata = scenario.get(name)["metadata"]
    return metadata["creationTimestamp"], metadata["uid"]


def test_flows_beyond_a_quota_wait_and_start_in_their_order(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=2000)
    policies("queue", limits={"maxActiveFlows": 1, "maxHeldFlows": 2})
    known_to_the_controller(scenario, f"{scenario.namespace}-queue")
    names = ("f", "g", "h")
    for name in names:
        scenario.flow(name, {"a": ()})
        until(lambda name=name: (scenario.get(name).get("status") or {}).get("state"), 30, lambda: "no status")
    reported = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "i", {"a": ()}))
    assert "has 3 active JobFlows, at most 1 may run at once and 2 may wait" in reported
    scenario.reaches("f", "a", "Running")
    running = "f"
    for name in sorted(names[1:], key=lambda name: age(scenario, name)):
        state = scenario.get(name)["status"]["state"]
        assert (state["phase"], state["reason"]) == ("Pending", "QuotaExceeded"), state
        scenario.kube.delete(JOBFLOW, scenario.namespace, running)
        scenario.reaches(name, "a", "Running")
        running = name
    scenario.kube.delete(JOBFLOW, scenario.namespace, running)


def test_a_forged_owner_hides_no_flow_from_a_quota(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=2000)
    policies("one", limits={"maxActiveFlows": 1})
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    owner = {
        "apiVersion": JOBFLOW.api_version,
        "kind": "JobFlow",
        "name": "f",
        "uid": scenario.get("f")["metadata"]["uid"],
        "controller": True,
    }
    forged = jobflow(scenario.namespace, "g", {"a": ()})
    forged["metadata"]["ownerReferences"] = [owner]
    assert "at most 1 may run at once" in scenario.cluster.kubectl.refusal(forged)
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f")


def test_running_flows_can_be_guarded_from_deletion_but_not_from_that_of_their_namespace(
    scenario: Scenario, policies: Policies
) -> None:
    scenario.templates("a", seconds=2000)
    rule = {"name": "running", "expression": "oldObject.?status.?state.?phase.orValue('') != 'Running'"}
    policies("guard", match={"operations": ["DELETE"]}, rules=[{**rule, "message": "stop it first"}])
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    with pytest.raises(RestError, match="stop it first"):
        scenario.kube.delete(JOBFLOW, scenario.namespace, "f")
    scenario.kube.delete(NAMESPACE, "", scenario.namespace)
    until(lambda: not scenario.kube.list(JOBFLOW, scenario.namespace), 60, lambda: "the namespace keeps its flow")


def test_a_suspended_flow_counts_while_its_jobs_run(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=60)
    policies("running", limits={"maxRunningFlows": 1})
    scenario.flow("f", {"a": ()})
    scenario.reaches("f", "a", "Running")
    scenario.kube.patch(JOBFLOW, scenario.namespace, "f", {"spec": {"suspend": True}})
    until(lambda: scenario.get("f")["status"]["state"]["phase"] == "Suspended", 30, lambda: str(scenario.get("f")))
    refused = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "g", {"a": ()}))
    assert "at most 1 may run at once" in refused


def test_deleted_flows_do_not_count(scenario: Scenario, policies: Policies) -> None:
    scenario.templates("a", seconds=60)
    policies("running", limits={"maxRunningFlows": 2})
    for attempt in range(5):
        for name in ("f", "g"):
            scenario.kube.create(JOBFLOW, jobflow(scenario.namespace, f"{name}-{attempt}", {"a": ()}))
        scenario.cluster.kubectl("delete", "jobflow", "--all", "-n", scenario.namespace)


def test_a_required_label_cannot_be_removed(scenario: Scenario, policies: Policies) -> None:
    made = template(scenario.namespace, "t")
    with_label = {**made, "metadata": {**made["metadata"], "labels": {"team": "a"}}}
    scenario.kube.create(JOBTEMPLATE, with_label)
    scenario.kube.create(JOBTEMPLATE, template(scenario.namespace, "old"))
    policies("team", required={"labels": ["team"]})
    with pytest.raises(RestError, match="this label must be set"):
        scenario.kube.patch(JOBTEMPLATE, scenario.namespace, "t", {"metadata": {"labels": {"team": None}}})
    changed = scenario.kube.patch(JOBTEMPLATE, scenario.namespace, "old", {"metadata": {"labels": {"x": "y"}}})
    assert changed["metadata"]["labels"] == {"x": "y"}, "an old violation that the update leaves alone"


def test_messages_and_defaults_are_computed(scenario: Scenario, policies: Policies) -> None:
    namespace = {"metadata": {"labels": {"pool": "fast"}}}
    scenario.kube.patch(NAMESPACE, "", scenario.namespace, namespace)
    pool = "namespaceObject.metadata.?labels.?pool.orValue('')"
    policies(
        "computed",
        defaults={"values": [{"field": "labels", "key": "pool", "valueExpression": pool}]},
        variables=[{"name": "pods", "expression": "object.spec.?tasks.orValue([]).map(t, t.replicas).sum()"}],
        rules=[
            {
                "name": "pods",
                "expression": "variables.pods <= 2",
                "messageExpression": "'has ' + string(variables.pods) + ' pods'",
            }
        ],
        match={"kinds": ["Job"]},
    )
    small = job(scenario)
    tasks = small["spec"]["tasks"]
    scenario.kube.create(JOB, small)
    assert scenario.kube.get(JOB, scenario.namespace, "j")["metadata"]["labels"]["pool"] == "fast"
    large = job(scenario, "k", tasks=[{**tasks[0], "replicas": 3}])
    assert "has 3 pods" in scenario.cluster.kubectl.refusal(large)


def test_a_namespace_and_its_flow_may_come_in_one_apply(scenario: Scenario) -> None:
    """The webhook asks for a Namespace that it has not seen yet before it decides by labels."""
    name = f"{scenario.namespace}-new"
    body = policy(name, match={"namespaceSelector": {"matchLabels": {"only": name}}}, **DENY)
    scenario.cluster.kubectl.apply(body)
    until(lambda: ready(scenario, name), 10, lambda: str(scenario.kube.find(JOBFLOWPOLICY, "", name)))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"only": name}}}
    done = scenario.cluster.kubectl(
        "apply",
        "-f",
        "-",
        stdin=str(yaml.safe_dump_all([namespace, jobflow(name, "f", {"a": ()})])),
        check=False,
    )
    assert "not now" in done.stderr
    scenario.kube.delete(NAMESPACE, "", name)
    scenario.kube.delete(JOBFLOWPOLICY, "", name)


def ready(scenario: Scenario, name: str) -> bool:
    status = (scenario.kube.find(JOBFLOWPOLICY, "", name) or {}).get("status") or {}
    return [each["status"] for each in status.get("conditions") or ()] == ["True"]


def test_the_scan_reports_objects_created_before_the_policy(scenario: Scenario, policies: Policies) -> None:
    scenario.flow("f", {"a": (), "b": ()}, suspend=True)
    scenario.templates("t")
    name = f"{scenario.namespace}-late"
    policies("late", mode="Warn", limits={"maxSteps": 1}, allowed={"images": ["registry.corp/*"]})
    status = scenario.cluster.wait_for(
        JOBFLOWPOLICY, "", name, lambda body: (body.get("status") or {}).get("violations") == 2
    )["status"]
    assert status["conditions"][0]["reason"] == "Compiled"
    assert [(each["kind"], each["name"], each["rule"]) for each in status["lastViolations"]] == [
        ("JobFlow", "f", "limits.maxSteps"),
        ("JobTemplate", "t", "allowed.images"),
    ]
    report = scenario.cluster.wait_for(
        POLICYREPORT,
        scenario.namespace,
        "jobflow-policies",
        lambda body: {result["policy"] for result in body["results"]} == {name},
    )
    assert report["summary"]["warn"] == len(report["results"]) == 2
    scenario.kube.delete(JOBFLOW, scenario.namespace, "f")
    scenario.kube.delete(JOBTEMPLATE, scenario.namespace, "t")
    scenario.cluster.wait_for(JOBFLOWPOLICY, "", name, lambda body: body["status"]["violations"] == 0)
    scenario.kube.wait_gone(POLICYREPORT, scenario.namespace, "jobflow-policies")
    shown = scenario.cluster.kubectl("get", "jobflowpolicy", name).stdout
    assert shown.splitlines()[0].split() == ["NAME", "MODE", "READY", "VIOLATIONS", "AGE"]
    assert shown.splitlines()[1].split()[:4] == [name, "Warn", "True", "0"]


def test_a_dry_run_tells_how_many_stored_objects_violate_the_policy(scenario: Scenario, policies: Policies) -> None:
    scenario.flow("f", {"a": (), "b": ()}, suspend=True)
    policies("dry", mode="Audit", limits={"maxSteps": 1})
    name = f"{scenario.namespace}-dry"
    scenario.cluster.wait_for(JOBFLOWPOLICY, "", name, lambda body: (body.get("status") or {}).get("violations") == 1)
    patch = ("patch", "jobflowpolicy", name, "--type=merge", "-p", '{"spec":{"mode":"Enforce"}}')
    reported = scenario.cluster.kubectl(*patch, "--dry-run=server").stderr
    assert "violations by stored objects at the scan of " in reported
    assert ": 1; such objects are kept, new ones would be refused" in reported


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_apply(scenario: Scenario, path: Path) -> None:
    assert "created (server dry run)" in scenario.cluster.kubectl("apply", "--dry-run=server", "-f", str(path)).stdout


# --- the page -----------------------------------------------------------------------------------------------------------

PAGE = Path("docs/policies.md")
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
_AGE = re.compile(r"\b\d+[smh]\b")


def commands() -> Iterator[tuple[str, str, list[str]]]:
    """(command, standard input, the lines it prints) of every command of the page."""
    for block in _BLOCK.findall(PAGE.read_text()):
        for part in block.split("$ kubectl ")[1:]:
            command, _, rest = part.partition("\n")
            command, heredoc, _ = command.partition(" <<EOF")
            stdin, _, printed = rest.partition("\nEOF\n") if heredoc else ("", "", rest)
            yield command, stdin, printed.splitlines()


def plainly(text: str) -> str:
    return " ".join(_AGE.sub("AGE", text).split())


def test_the_commands_of_the_page_do_what_it_says(scenario: Scenario) -> None:
    kubectl = scenario.cluster.kubectl
    for command, stdin, wanted in commands():
        output = ""

        def reported(command: str = command, stdin: str = stdin, wanted: list[str] = wanted) -> bool:
            nonlocal output
            done = kubectl(*shlex.split(command), stdin=stdin, check=False)
            output = plainly(done.stderr + done.stdout)
            return all(plainly(line) in output for line in wanted)

        if " get " in f" {command} ":  # what the scan finds takes a moment
            until(reported, 15, lambda: f"kubectl {command}: {output}")  # noqa: B023 - asked before the next turn
        else:
            assert reported(), f"kubectl {command}: {output}"
        if "polic" in command:
            known_to_the_webhook(scenario, f"{scenario.namespace}-page")
    scenario.kube.delete(QUEUE, "", "vision")


def reports_crd() -> Body:
    """PolicyReports as far as we write them; the real CRD comes with the tools that show them."""
    result = {
        "type": "object",
        "required": ["policy"],
        "properties": {
            "policy": {"type": "string"},
            "rule": {"type": "string"},
            "result": {"type": "string", "enum": ["pass", "fail", "warn", "error", "skip"]},
            "source": {"type": "string"},
            "scored": {"type": "boolean"},
            "message": {"type": "string"},
            "properties": {"type": "object", "additionalProperties": {"type": "string"}},
            "resources": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            "timestamp": {
                "type": "object",
                "required": ["nanos", "seconds"],
                "properties": {"nanos": {"type": "integer"}, "seconds": {"type": "integer"}},
            },
        },
    }
    summary = {"type": "object", "properties": {key: {"type": "integer"} for key in SUMMARY}}
    schema = {
        "type": "object",
        "properties": {"results": {"type": "array", "items": result}, "summary": summary},
    }
    version = {"name": POLICYREPORT.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": POLICYREPORT.kind, "plural": POLICYREPORT.plural, "singular": "policyreport"}
    names["listKind"] = f"{POLICYREPORT.kind}List"
    return {
        "apiVersion": CRD.api_version,
        "kind": CRD.kind,
        "metadata": {"name": POLICYREPORT.resource},
        "spec": {"group": POLICYREPORT.group, "names": names, "scope": "Namespaced", "versions": [version]},
    }


SUMMARY = ("pass", "fail", "warn", "error", "skip")
