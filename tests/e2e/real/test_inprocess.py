"""The chart's policies for JobFlowPolicies on a real API server, without a webhook, against what the webhook says."""

import os
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from urllib3.exceptions import HTTPError

from local.client.blocking import BlockingClient, path, until
from local.client.rest import RestError
from shared import kinds
from shared.model.types import Body
from shared.policy.in_process import WHOLLY
from tests.e2e.real.api_server import api_server
from tests.webhook.inprocess.agreement import (
    Disagreement,
    by,
    completed,
    disagreement,
    found_by_webhook,
    found_in,
    with_status,
)
from tests.webhook.inprocess.generate import changed, random_object, random_policy
from tests.webhook.make import KINDS, flow, job, pod_template, review, step, task
from tests.webhook.policies.bypasses import BYPASSES
from tests.webhook.policies.fields import FIELDS
from tests.webhook.policies.make import policy
from webhook.inprocess.admission_policies import modes, policies

ADMIN, GROUPS = "admin", ("system:masters", "system:authenticated")


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlockingClient]:
    with api_server(tmp_path_factory.mktemp("plane")) as kube:
        until(lambda: _serves_policies(kube), 30, lambda: "policies are not served")
        _install(kube)
        _enforce(kube, [_in("probe", policy("probe", limits={"maxSteps": 0}))])
        until(lambda: refusal(kube, "probe", flow()), 60, lambda: "the policies do not come into force")
        yield kube


def _serves_policies(kube: BlockingClient) -> bool:
    try:
        kube.list(kinds.JOBFLOWPOLICY)
    except (RestError, HTTPError):
        return False  # 429 while the storage of a new kind is being initialized
    return True


def _install(kube: BlockingClient) -> None:
    """Policies and bindings as the chart renders them."""
    for mode in modes():
        for body in policies():
            name = f"{body['metadata']['name']}-{mode.mode.lower()}"
            body["metadata"]["name"] = name
            body["spec"]["matchConditions"].insert(0, mode.condition)
            kube.create(kinds.ADMISSION_POLICY, body)
            binding = {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": name},
                "spec": {
                    "policyName": name,
                    "validationActions": ["Audit" if mode.action == "Audit" else "Deny"],
                    "paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"},
                },
            }
            kube.create(kinds.ADMISSION_POLICY_BINDING, binding)


def _in(namespace: str, body: Body) -> Body:
    """The policy, for one namespace only."""
    match = {**body["spec"].get("match", {})}
    selector = {**match.get("namespaceSelector", {})}
    selector["matchLabels"] = {**selector.get("matchLabels", {}), "kubernetes.io/metadata.name": namespace}
    return {**body, "spec": {**body["spec"], "match": {**match, "namespaceSelector": selector}}}


def _enforce(kube: BlockingClient, bodies: Sequence[Body], labels: Body | None = None) -> list[Body]:
    """Create policies and their namespace, with the statuses that the controller would write."""
    (namespace,) = {
        body["spec"]["match"]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for body in bodies
    }
    if kube.find(kinds.NAMESPACE, "", namespace) is None:
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels or {}}}
        kube.create(kinds.NAMESPACE, made)
    stored = with_status([kube.create(kinds.JOBFLOWPOLICY, body) for body in bodies])
    for body in stored:
        kube.request("PUT", f"{path(kinds.JOBFLOWPOLICY, '', body['metadata']['name'])}/status", body)
    return stored


def refusal(kube: BlockingClient, namespace: str, manifest: Body, *, update: bool = False) -> str:
    """Why the server refuses to create or update the object; '' if it accepts it."""
    sent = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    where = path(KINDS[manifest["kind"]], namespace, manifest["metadata"]["name"] if update else "")
    try:
        kube.request("PUT" if update else "POST", f"{where}?dryRun=All", sent)
    except RestError as error:
        return str(error)
    return ""


def _in_force(kube: BlockingClient, number: int) -> None:
    """Wait until the API server has seen the policies that were created before."""
    name = f"marker-{number}"
    _enforce(kube, [_in(name, policy(name, limits={"maxSteps": 0}))])
    until(lambda: refusal(kube, name, flow()), 60, lambda: "the policies do not come into force")


def test_every_listed_field_is_enforced_and_no_other(kube: BlockingClient) -> None:
    for number, (field, (spec, *_)) in enumerate(FIELDS.items()):
        _enforce(kube, [_in(f"field-{number}", policy(f"field-{number}", **spec))])
        assert field
    _in_force(kube, 1)
    for number, (field, (_, bad, good, _)) in enumerate(FIELDS.items()):
        reported = refusal(kube, f"field-{number}", bad)
        assert refusal(kube, f"field-{number}", good) == "", field
        assert (f"({field})" in reported) is (
            field in WHOLLY or field in ("limits.maxParallelism", "limits.maxRetry")
        ), reported


def test_ways_around_policies_are_refused(kube: BlockingClient) -> None:
    """Those that create an object; updates are judged by the same expressions."""
    tried = {name: each for name, each in BYPASSES.items() if each.rule in WHOLLY and each.old is None}
    for number, each in enumerate(tried.values()):
        _enforce(kube, [_in(f"bypass-{number}", policy(f"bypass-{number}", **each.spec))])
    _in_force(kube, 4)
    passed = {
        name: reported
        for number, (name, each) in enumerate(tried.items())
        if f"({each.rule})" not in (reported := refusal(kube, f"bypass-{number}", each.new))
    }
    assert passed == {}


def test_random_objects_and_policies(kube: BlockingClient) -> None:
    """Nothing is refused that the webhook accepts; what the webhook refuses in addition is listed."""
    rng = random.Random(int(os.environ.get("IN_PROCESS_SEED", "1")))
    cases = []
    for number in range(int(os.environ.get("IN_PROCESS_POLICIES", "8"))):
        name = f"random-{number}"
        labels = {"kubernetes.io/metadata.name": name, "team": rng.choice(["vision", "nlp"])}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        kube.create(kinds.NAMESPACE, namespace)
        olds = [_stored(kube, name, random_object(rng, f"o{at}")) for at in range(3)]
        bodies = [_in(name, random_policy(rng, f"{name}-{at}")) for at in range(rng.randint(1, 3))]
        cases.append((namespace, [old for old in olds if old], _enforce(kube, bodies)))
    _in_force(kube, 2)
    differ: list[tuple[str, Disagreement]] = []
    refused = 0
    for namespace, olds, bodies in cases:
        name = namespace["metadata"]["name"]
        news: list[tuple[Body, Body | None]] = [(random_object(rng, "new"), None) for _ in range(10)]
        for new, old in [*news, *((changed(rng, old), old) for old in olds)]:
            placed = {**new, "metadata": {**new["metadata"], "namespace": name}}
            given = by(review(placed, old), ADMIN, *GROUPS)
            whole = completed(given, bodies, namespace)
            webhook = found_by_webhook(whole, bodies, namespace)
            for raw in (True, False):
                reported = refusal(kube, name, (given if raw else whole).object or {}, update=old is not None)
                if reported and "ValidatingAdmissionPolicy" not in reported:
                    continue  # the schema comes first
                refused += bool(reported)
                # The API server names the first rule that is violated.
                found = disagreement(whole, bodies, webhook, found_in([reported]))
                if found and (found.too_much or (not raw and not reported and found.too_little and old is None)):
                    differ.append((reported, found))
    assert [each for each in differ if not _is_known(each[1])] == []
    assert refused > 10


def _is_known(difference: Disagreement) -> bool:
    """The defaults of the Job in a CronJob, which the webhook judges as well."""
    of_defaults = all(rule.rpartition(".")[2] in ("queues", "schedulerNames") for _, rule in difference.too_little)
    return not difference.too_much and difference.review.kind.kind == "CronJob" and of_defaults


def _stored(kube: BlockingClient, namespace: str, manifest: Body) -> Body | None:
    sent: Body = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    sent["metadata"].pop("ownerReferences", None)
    try:
        return kube.create(KINDS[manifest["kind"]], sent)
    except RestError:
        return None  # the schema does not allow it


def large_job(tasks: int, containers: int) -> Body:
    many = [
        {"name": f"c{at}", "image": "registry.example.com/team/app:1", "resources": {"requests": {"cpu": "1"}}}
        for at in range(containers)
    ]
    return job(*(task(f"t{at}", 1, template=pod_template(containers=many)) for at in range(tasks)))


def large_flow(steps: int) -> Body:
    patch = {"jobSpec": {"queue": "q1", "tasks": [task()]}}
    return flow(*(step(f"s{at}", patch=patch) for at in range(steps)))


ALL: dict[str, Any] = {
    "limits": {"maxSteps": 10_000, "maxParallelism": 10_000, "maxReplicas": 100_000, "maxRetry": 10},
    "allowed": {
        "queues": ["q*"],
        "schedulerNames": ["vol*", "default-*"],
        "serviceAccounts": ["d*"],
        "plugins": ["e*"],
    },
    "denied": {"queues": ["x*"], "priorityClassNames": ["system-*"], "plugins": ["ssh"]},
    "required": {"resourceRequests": ["cpu"]},
}


@pytest.mark.parametrize(
    "manifest",
    [large_job(100, 20), large_job(1000, 2), large_flow(200), large_flow(1000)],
    ids=["2000 containers", "1000 tasks", "200 patches", "1000 patches"],
)
def test_nothing_is_refused_because_of_its_size(kube: BlockingClient, manifest: Body) -> None:
    if kube.find(kinds.JOBFLOWPOLICY, "", "large") is None:
        _enforce(kube, [_in("large", policy("large", **ALL))])
        _in_force(kube, 3)
    assert refusal(kube, "large", manifest) == ""
