"""The policies of the chart on a real API server, without a webhook: what they refuse, and that the webhook agrees."""

import os
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from local.client.blocking import BlockingClient
from local.client.rest import RestError
from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING
from shared.model.types import Body
from tests.e2e.real.api_server import api_server
from tests.webhook.make import breaks_structure, flow, job, review, step, task
from tests.webhook.structure.graphs import Nodes, chain, orders, random_flows, random_jobs, rings
from webhook.structure.expressions import ROUNDS
from webhook.structure.policies import policies

PATHS = {
    "JobFlow": "/apis/flow.volcano.sh/v1alpha1/namespaces/default/jobflows?dryRun=All",
    "Job": "/apis/batch.volcano.sh/v1alpha1/namespaces/default/jobs?dryRun=All",
}


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlockingClient]:
    with api_server(tmp_path_factory.mktemp("plane"), crds="*volcano.sh_job*.yaml") as kube:
        for policy in policies():
            # A budget that is exceeded must be seen here; in the chart it lets the object pass.
            policy["spec"]["failurePolicy"] = "Fail"
            kube.create(ADMISSION_POLICY, policy)
            kube.create(ADMISSION_POLICY_BINDING, binding(policy))
        _await_refusal(kube, flow(step("a", "a")))
        _await_refusal(kube, job(task("a", dependsOn={"name": ["a"]})))
        yield kube


def binding(policy: Body) -> Body:
    name = policy["metadata"]["name"]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }


def _await_refusal(kube: BlockingClient, manifest: Body) -> None:
    ends = time.monotonic() + 60
    while "ValidatingAdmissionPolicy" not in refusal(kube, manifest):
        assert time.monotonic() < ends, "the policies do not come into force"
        time.sleep(0.2)


def refusal(kube: BlockingClient, manifest: Body) -> str:
    """Why the server refuses to create the object; '' if it accepts it."""
    sent = {**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}}
    try:
        kube.request("POST", PATHS[manifest["kind"]], sent)
    except RestError as error:
        return str(error)
    return ""


def flow_of(nodes: Nodes) -> Body:
    return flow(*(step(name, *targets) for name, targets in nodes))


def layered(layers: int, wide: int) -> Nodes:
    names = [[f"l{layer}-{at}" for at in range(wide)] for layer in range(layers)]
    return [(name, names[layer - 1] if layer else []) for layer in range(layers) for name in names[layer]]


RIGHT: dict[str, Nodes] = {
    "one step": [("a", [])],
    "a chain of 200": chain(200),
    "all to all": [(f"s{at}", [f"s{other}" for other in range(at)]) for at in range(85)],
    "layers of 20": layered(10, 20),
    "200 without order": [(f"s{at}", []) for at in range(200)],
    "1000 steps": chain(1000),
}
CYCLES: dict[str, Nodes] = {
    "3": rings(3),
    "20": rings(20),
    "200": rings(200),
    "3 behind a chain of 100": rings(3, before=100),
    "3 before a chain of 100": rings(3, behind=100),
    "3 between chains": rings(3, before=90, behind=90),
}
BROKEN: dict[str, tuple[Body, str]] = {
    "empty": (flow() | {"spec": {"flows": []}}, "spec.flows: at least one step is required"),
    "dangling": (flow(step("a", "b", "c")), 'step "a": no step named "b", "c" (dependsOn.targets)'),
    "self": (flow(step("a", "a")), "cycle a -> a: each step waits for the one before it"),
    "duplicate": (flow(step("a"), step("b"), step("a")), 'another step is named "a"'),
    "name": (flow(step("A_")), '"A_" is not a name of a step'),
    "three at once": (flow(step("a", "b"), step("a"), step("c", "c")), "cycle c -> c"),
    "tasks in a cycle": (
        job(task("a", dependsOn={"name": ["b"]}), task("b", dependsOn={"name": ["a"]})),
        "spec.tasks: cycle",
    ),
    "a missing task": (job(task("a", dependsOn={"name": ["z"]})), 'task "a": no task named "z" (dependsOn.name)'),
    "a minimum of a task": (job(task("a", 2, minAvailable=3)), 'task "a": minAvailable 3 is greater than replicas 2'),
    "a minimum of the Job": (job(task("a", 2), minAvailable=5), "spec.minAvailable: 5 is greater than the replicas"),
}


@pytest.mark.parametrize("case", RIGHT)
def test_right_flows_of_every_size_are_accepted(kube: BlockingClient, case: str) -> None:
    answers = {order: refusal(kube, manifest) for order, manifest in orders(RIGHT[case]).items()}
    assert answers == {"in order": "", "reversed": "", "shuffled": ""}


@pytest.mark.parametrize("case", CYCLES)
def test_cycles_are_refused_and_spelled_out_in_every_order(kube: BlockingClient, case: str) -> None:
    for order, manifest in orders(CYCLES[case]).items():
        reported = refusal(kube, manifest)
        assert "422" in reported, (order, reported)
        named = reported.partition("cycle ")[2].partition(":")[0].split(" -> ")
        targets = dict(CYCLES[case])
        pairs = [pair for pair in pairwise(named) if "..." not in pair]
        assert pairs, (order, reported)
        assert all(first in targets[second] for first, second in pairs), (order, reported)


@pytest.mark.parametrize("case", BROKEN)
def test_other_faults_are_refused(kube: BlockingClient, case: str) -> None:
    manifest, words = BROKEN[case]
    assert words in refusal(kube, manifest)


def test_all_faults_are_in_one_message(kube: BlockingClient) -> None:
    reported = refusal(kube, BROKEN["three at once"][0])
    assert all(part in reported for part in ('no step named "b"', 'another step is named "a"', "cycle c -> c"))


def test_random_objects_are_refused_by_the_api_server_exactly_when_the_webhook_refuses_their_structure(
    kube: BlockingClient,
) -> None:
    count = int(os.environ.get("STRUCTURE_OBJECTS", "600"))
    differ = []
    for manifest in (*random_flows(count // 2, 7), *random_jobs(count // 2, 8)):
        reported = refusal(kube, manifest)
        by_policy = "ValidatingAdmissionPolicy" in reported
        if reported and not by_policy:
            continue  # the schema comes first: a name that is too long
        if by_policy is not breaks_structure(review(manifest)):
            differ.append((manifest["spec"], reported))
    assert differ == []


def test_large_random_flows_are_never_refused_wrongly(kube: BlockingClient) -> None:
    """A cycle may be missed in a graph of more layers than there are rounds, and only there."""
    missed = []
    for manifest in random_flows(60, 9, largest=200):
        broken = breaks_structure(review(manifest))
        reported = refusal(kube, manifest)
        assert broken or not reported, reported
        if broken and not reported:
            missed.append(len(manifest["spec"]["flows"]))
    assert all(size > ROUNDS for size in missed)
