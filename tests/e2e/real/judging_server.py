"""A real API server with the chart's policies for JobFlowPolicies, without a webhook."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from urllib3.exceptions import HTTPError

from local.client.blocking import BlockingClient, path, until
from local.client.rest import RestError
from shared import kinds
from shared.model.types import Body
from tests.e2e.real.api_server import api_server
from tests.webhook.inprocess.agreement import with_status
from tests.webhook.make import KINDS, flow
from tests.webhook.policies.make import policy
from webhook.inprocess.admission_policies import modes, policies, with_mode

LABEL: Final = "judged-as"
"""Label of namespaces; a policy is made for one value. Where WARNS is set, what is refused elsewhere is a warning."""
WARNS: Final = "warns"


@contextmanager
def judging_server(folder: Path) -> Iterator[BlockingClient]:
    """An administrator's client, once the policies are in force. `folder`: for data and logs."""
    with api_server(folder) as kube:
        until(lambda: _serves_policies(kube), 30, lambda: "policies are not served")
        _install(kube)
        await_policies(kube, "probe")
        yield kube


def make_namespace(kube: BlockingClient, name: str, judged_as: str, **labels: str) -> Body:
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {LABEL: judged_as, **labels}}}
    return kube.create(kinds.NAMESPACE, made)


def enforce(kube: BlockingClient, judged_as: str, *bodies: Body) -> list[Body]:
    """Create policies for the namespaces with this label, with the statuses that the controller would write."""
    stored = with_status([kube.create(kinds.JOBFLOWPOLICY, limited_to(judged_as, body)) for body in bodies])
    for body in stored:
        kube.request("PUT", f"{path(kinds.JOBFLOWPOLICY, '', body['metadata']['name'])}/status", body)
    return stored


def await_policies(kube: BlockingClient, name: str) -> None:
    """Wait until the API server has seen the policies that were created before. `name`: a new one, for a namespace."""
    make_namespace(kube, name, name)
    enforce(kube, name, policy(name, limits={"maxSteps": 0}))
    until(lambda: refusal(kube, name, flow()), 60, lambda: "the policies do not come into force")
    kube.delete(kinds.JOBFLOWPOLICY, "", name)


def send(kube: BlockingClient, namespace: str, manifest: Body, *, update: bool = False) -> tuple[Body, tuple[str, ...]]:
    """The object as it would be stored, and the warnings. Raises RestError if it is refused."""
    sent = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    where = path(KINDS[manifest["kind"]], namespace, manifest["metadata"]["name"] if update else "")
    if update:
        stored = kube.get(KINDS[manifest["kind"]], namespace, manifest["metadata"]["name"])
        sent["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
    found: tuple[Body, tuple[str, ...]] = kube.request_with_warnings(
        "PUT" if update else "POST", f"{where}?dryRun=All", sent
    )
    return found


def refusal(kube: BlockingClient, namespace: str, manifest: Body, *, update: bool = False) -> str:
    """Why the server refuses to create or update the object; '' if it accepts it."""
    try:
        send(kube, namespace, manifest, update=update)
    except RestError as error:
        return str(error)
    return ""


def _serves_policies(kube: BlockingClient) -> bool:
    try:
        kube.list(kinds.JOBFLOWPOLICY)
    except (RestError, HTTPError):
        return False  # 429 while the storage of a new kind is being initialized
    return True


def limited_to(judged_as: str, body: Body) -> Body:
    match = {**body["spec"].get("match", {})}
    selector = {**match.get("namespaceSelector", {})}
    selector["matchLabels"] = {**selector.get("matchLabels", {}), LABEL: judged_as}
    return {**body, "spec": {**body["spec"], "match": {**match, "namespaceSelector": selector}}}


def _install(kube: BlockingClient) -> None:
    """The policies as the chart renders them. Mode Warn refuses here, so that it can be reported from no finding."""
    for mode in modes():
        for body in policies():
            name = f"{body['metadata']['name']}-{mode.mode.lower()}"
            kube.create(kinds.ADMISSION_POLICY, {**with_mode(body, mode), "metadata": {"name": name}})
            for binding in bindings(name, {"paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"}}):
                kube.create(kinds.ADMISSION_POLICY_BINDING, binding)


def bindings(name: str, spec: Body) -> Iterator[Body]:
    """One that warns, where WARNS is set, and one that refuses elsewhere. `name`: of the policy; `spec`: what else they say."""
    for action, operator in (("Deny", "DoesNotExist"), ("Warn", "Exists")):
        selector = {"namespaceSelector": {"matchExpressions": [{"key": WARNS, "operator": operator}]}}
        yield {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": f"{name}-{action.lower()}"},
            "spec": {**spec, "policyName": name, "validationActions": [action], "matchResources": selector},
        }


def remove(kube: BlockingClient, bodies: Sequence[Body]) -> None:
    for body in bodies:
        kube.delete(kinds.JOBFLOWPOLICY, "", body["metadata"]["name"])
