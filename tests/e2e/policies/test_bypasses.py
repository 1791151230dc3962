"""Ways around policies, tried with an API server and our webhook: each is refused by the rule that it tries to avoid."""

from local.client.blocking import BlockingClient, path, until
from local.client.rest import RestError
from shared.kinds import JOBFLOWPOLICY, NAMESPACE, QUEUE
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario
from tests.webhook.make import KINDS, flow, queue
from tests.webhook.policies.bypasses import BYPASSES
from tests.webhook.policies.make import policy

LAST: Body = {"limits": {"maxSteps": 0}}


def test_ways_around_policies_are_refused(scenario: Scenario) -> None:
    kube, names = scenario.kube, {name: f"{scenario.namespace}-{number}" for number, name in enumerate(BYPASSES)}
    last = f"{scenario.namespace}-last"
    kube.apply(QUEUE, queue())
    for name, namespace in names.items():
        _prepare(kube, namespace)
        if (old := BYPASSES[name].old) is not None:
            kube.create(KINDS[old["kind"]], _placed(old, namespace))
    _prepare(kube, last)
    for name, namespace in names.items():
        kube.create(JOBFLOWPOLICY, _for(namespace, BYPASSES[name].spec))
    kube.create(JOBFLOWPOLICY, _for(last, LAST))
    try:
        until(lambda: last in _refusal(kube, last, flow()), 30, lambda: "the webhook does not know the policies")
        reported = {name: _refusal(kube, names[name], each.new, each.old) for name, each in BYPASSES.items()}
    finally:
        for namespace in (*names.values(), last):
            kube.delete(JOBFLOWPOLICY, "", namespace)
            kube.delete(NAMESPACE, "", namespace)
        kube.delete(QUEUE, "", "q1")
    passed = {
        name: text for name, text in reported.items() if f'(policy "{names[name]}", {BYPASSES[name].rule})' not in text
    }
    assert passed == {}


def _prepare(kube: BlockingClient, namespace: str) -> None:
    kube.create(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})


def _for(namespace: str, spec: Body) -> Body:
    """The policy, for one namespace."""
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return policy(namespace, **{**spec, "match": {**spec.get("match", {}), "namespaceSelector": selector}})


def _placed(manifest: Body, namespace: str) -> Body:
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def _refusal(kube: BlockingClient, namespace: str, new: Body, old: Body | None = None) -> str:
    kind, name = KINDS[new["kind"]], new["metadata"]["name"]
    sent = _placed(new, namespace)
    try:
        if old is None:
            kube.request("POST", f"{path(kind, namespace)}?dryRun=All", sent)
        else:
            stored = kube.get(kind, namespace, name)
            sent["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
            kube.request("PUT", f"{path(kind, namespace, name)}?dryRun=All", sent)
    except RestError as error:
        return str(error)
    return ""
