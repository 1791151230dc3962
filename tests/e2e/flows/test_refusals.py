"""What the webhook refuses, as kubectl and the API server show it."""

import copy
import json
import re
from typing import Any

import pytest
import yaml

from local.client.rest import RestError
from shared.kinds import JOB, JOBFLOW
from shared.model.types import Body
from tests.e2e.support.policies import policy
from tests.e2e.support.scenario import Scenario, jobflow, targets

REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "a target that is no step": (
        {"a": (), "c": ("x",)},
        ("spec.flows[1].dependsOn.targets[0]", '"x"', "no step named"),
    ),
    "a step that waits for itself": ({"a": ("a",)}, ("spec.flows", "a -> a")),
    "a cycle": ({"a": ("c",), "b": ("a",), "c": ("b",)}, ("spec.flows", "cycle a -> b -> c -> a")),
    "a cycle beside a sound step": ({"s": (), "a": ("b",), "b": ("a",)}, ("cycle",)),
    "no steps": ({}, ("spec.flows",)),
    "a bad name": ({"A_b": ()}, ("spec.flows[0].name", "A_b")),
    "a name that makes a Job's too long": ({"a" * 62: ()}, ("spec.flows[0].name",)),
}


@pytest.mark.parametrize(("steps", "said"), REFUSED.values(), ids=REFUSED)
def test_a_bad_graph_is_refused_with_path_and_remedy(
    scenario: Scenario, steps: dict[str, Any], said: tuple[str, ...]
) -> None:
    reported = scenario.refused(jobflow(scenario.namespace, "f", steps))
    assert [part for part in said if part not in reported] == [], reported


def test_duplicate_names_are_refused(scenario: Scenario) -> None:
    body = jobflow(scenario.namespace, "f", {"a": ()})
    body["spec"]["flows"].append({"name": "a"})
    assert "Duplicate value" in scenario.refused(body)


def test_a_bad_retain_policy_is_refused(scenario: Scenario) -> None:
    reported = scenario.refused(jobflow(scenario.namespace, "f", {"a": ()}, jobRetainPolicy="keep"))
    assert "spec.jobRetainPolicy" in reported


def test_all_faults_are_reported_at_once_and_kubectl_shows_them(scenario: Scenario) -> None:
    steps = {"a": targets("nowhere"), "b": targets("b"), "c": targets("a", "gone")}
    reported = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "f", steps))
    for part in ("nowhere", "gone", "b -> b"):
        assert part in reported


def test_faults_of_the_schema_do_not_hide_those_that_only_the_webhook_finds(scenario: Scenario) -> None:
    """The schema accepts any item. Its other faults were reported first, and the items only at the next try."""
    body = jobflow(scenario.namespace, "f", {"a": {"for": {"items": ["x", 1, None, True]}}, "b": {"if": True}})
    reported = scenario.cluster.kubectl.refusal(body)
    wanted = (
        "spec.flows[0].for.items[1]",
        "spec.flows[0].for.items[2]",
        "spec.flows[0].for.items[3]",
        "spec.flows[1].if",
    )
    assert [path for path in wanted if path not in reported] == [], reported


def test_a_wrong_type_is_refused_with_the_value_and_what_to_write(scenario: Scenario) -> None:
    """The schema of the API server says `Invalid value: "boolean": ... must be of type string` only."""
    reported = scenario.cluster.kubectl.refusal(jobflow(scenario.namespace, "f", {"a": {"if": True}}, parallelism="2"))
    for said in (
        "spec.flows[0].if: Invalid value: true: must be of type string; write the value in quotes",
        'spec.parallelism: Invalid value: "2": must be of type integer; write a number, without quotes',
    ):
        assert said in reported


def test_all_faults_of_a_policy_are_reported_at_once(scenario: Scenario) -> None:
    rules = [{"name": "r", "expression": "objct.spec == 1"}]
    spec = {"mode": "enforce", "allowed": {"images": ["a[b]"], "queues": [5]}, "rules": rules}
    reported = scenario.cluster.kubectl.refusal(policy(f"{scenario.namespace}-faulty", **spec))
    wanted = (
        'spec.mode: Unsupported value: "enforce": did you mean "Enforce"?',
        "spec.allowed.queues[0]: Invalid value: 5: must be of type string; write the value in quotes",
        "spec.allowed.images[0]",
        'undeclared name "objct"',
    )
    assert [part for part in wanted if part not in reported] == [], reported


def test_misspelt_fields_of_a_pod_template_are_warnings_with_the_nearest_name(scenario: Scenario) -> None:
    container = {"name": "c", "image": "busybox", "comand": ["sh"], "resource": {"limits": {"cpu": "1"}}}
    pod = {"restartPolicy": "Never", "nodeselector": {"gpu": "yes"}, "containers": [container]}
    body = {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "metadata": {"name": "misspelt", "namespace": scenario.namespace},
        "spec": {"tasks": [{"name": "w", "replicas": 1, "template": {"spec": pod}}]},
    }
    done = scenario.cluster.kubectl("apply", "-f", "-", stdin=_yaml(body))
    for wanted in (
        'Warning: spec.tasks[0].template.spec.nodeselector: unknown field; did you mean "nodeSelector"?',
        'Warning: spec.tasks[0].template.spec.containers[0].comand: unknown field; did you mean "command"?',
        'Warning: spec.tasks[0].template.spec.containers[0].resource: unknown field; did you mean "resources"?',
    ):
        assert wanted in done.stderr


def test_a_phase_that_no_step_has_is_a_warning_with_the_phase_that_was_meant(scenario: Scenario) -> None:
    """`if: steps.a.phase == "Succeeded"` was accepted without a word, and the step was always skipped."""
    said = targets("a") | {"if": 'steps.a.phase == "Succeeded"'}
    done = scenario.cluster.kubectl(
        "apply", "-f", "-", stdin=_yaml(jobflow(scenario.namespace, "f", {"a": (), "b": said}))
    )
    assert 'Warning: spec.flows[1].if: 1:18: the phase of a step is never "Succeeded"; did you mean' in done.stderr


def test_a_job_whose_pods_the_api_server_would_refuse_is_refused(scenario: Scenario) -> None:
    """Each of these would be accepted as a Job and fail with FailedCreate."""
    small = {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}
    two = [{"name": name, "image": "busybox", "resources": {"requests": {"cpu": "2"}}} for name in "cd"]
    one = [{"name": "c", "image": "busybox"}]
    claim = {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}}
    for pod, said in (
        ({"resources": small, "containers": two}, "must be greater than or equal to aggregate container requests of 4"),
        ({"hostUsers": False, "hostPID": True, "containers": one}, "when `hostUsers` is false"),
        ({"containers": one, "volumes": [claim]}, "resources.requests[storage]: Required value"),
    ):
        template = {"spec": {"restartPolicy": "Never", **pod}}
        body = {
            "apiVersion": "batch.volcano.sh/v1alpha1",
            "kind": "Job",
            "metadata": {"name": "impossible", "namespace": scenario.namespace},
            "spec": {"tasks": [{"name": "w", "replicas": 1, "template": template}]},
        }
        with pytest.raises(RestError, match=re.escape(said)):
            scenario.kube.create(JOB, body)


def test_a_missing_template_is_only_a_warning(scenario: Scenario) -> None:
    body = jobflow(scenario.namespace, "f", {"nobody": ()}, suspend=True)
    done = scenario.cluster.kubectl("apply", "-f", "-", stdin=_yaml(body))
    assert "Warning" in done.stderr
    assert "nobody" in done.stderr


def test_objects_in_use_can_be_deleted_and_kubectl_shows_a_warning(scenario: Scenario) -> None:
    scenario.templates("a", seconds=200)
    scenario.templates("b")
    scenario.flow("f", {"a": (), "b": ("a",)})
    scenario.reaches("f", "a", "Running")
    kubectl = scenario.cluster.kubectl
    reported = kubectl("delete", "jobtemplate", "b", "-n", scenario.namespace).stderr
    assert "Warning: unfinished JobFlows use this JobTemplate and will wait for it: f" in reported
    reported = kubectl("delete", "jobflow", "f", "-n", scenario.namespace).stderr
    assert "Warning: JobFlow f has not ended (Running, 0/2 steps): its Jobs will be deleted" in reported
    scenario.nothing_left()


def test_a_refused_update_does_not_affect_the_running_flow(scenario: Scenario) -> None:
    scenario.templates("a", seconds=90)
    scenario.templates("b")
    scenario.flow("f", {"a": (), "b": ("a",)})
    before = scenario.reaches("f", "a", "Running")
    worse = copy.deepcopy(before["spec"])
    worse["flows"][0] = {"name": "a", "dependsOn": {"targets": ["b"]}}
    with pytest.raises(RestError, match="cycle"):
        scenario.kube.patch(JOBFLOW, scenario.namespace, "f", {"spec": worse})
    assert scenario.get("f")["spec"] == before["spec"]
    scenario.succeeds("f")


def test_a_dense_graph_of_24_layers_is_accepted_quickly(scenario: Scenario) -> None:
    """Volcano's webhook walks every path of it and times out."""
    scenario.templates("one")
    steps: dict[str, Any] = {}
    for layer in range(24):
        below = [f"l{layer - 1}-{side}" for side in "ab"] if layer else []
        steps |= {f"l{layer}-{side}": {"template": "one"} | targets(*below) for side in "ab"}
    assert scenario.flow("f", steps, suspend=True)["metadata"]["uid"]


def _yaml(body: Body) -> str:
    return str(yaml.safe_dump(body))


def test_the_webhook_logs_a_line_for_a_refusal(scenario: Scenario) -> None:
    scenario.refused(jobflow(scenario.namespace, "logged", {"a": ("a",)}))
    found = [line for line in scenario.cluster.logs("webhook").splitlines() if '"name":"logged"' in line]
    (line,) = [json.loads(each) for each in found]
    assert line["decision"] == "refused"
    assert line["user"]
    assert (line["operation"], line["kind"], line["namespace"]) == (
        "CREATE",
        "JobFlow.flow.volcano.sh",
        scenario.namespace,
    )
    assert line["rules"] == ["no_cycle"]
