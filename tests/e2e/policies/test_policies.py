"""Policies as administrators and users see them: kubectl's denial, its warning, the audit log, defaults, the scan."""

import dataclasses
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from local.backends import Backend, RealBackend
from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import CRD, JOB, JOBFLOW, JOBFLOWPOLICY, JOBTEMPLATE, NAMESPACE, POLICYREPORT, QUEUE
from tests.e2e.conftest import SPEED
from tests.e2e.support.policies import DENY, Policies, job, known_to_the_webhook, policy, reports_crd
from tests.e2e.support.scenario import Scenario, jobflow, template

EXAMPLES = Path("examples/policies")


@pytest.fixture(scope="module")
def cluster(backend: Backend) -> Iterator[LocalCluster]:
    """One whose API server keeps an audit log and whose controller scans all the time."""
    if isinstance(backend, RealBackend):
        backend = dataclasses.replace(backend, audit=True)
    arguments = ("--no-leader-elect", "--scan-interval=1")
    with LocalCluster(
        backend, ClusterOptions(nodes=2, cpu="64", memory="256Gi", speed=SPEED, controller_args=arguments)
    ) as made:
        made.kube.apply(CRD, reports_crd())
        yield made


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
