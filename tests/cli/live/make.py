"""Flows and policies for the tests of verbs on a local cluster."""

import contextlib
from collections.abc import Callable, Iterator

from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import LocalCluster
from shared.kinds import JOBFLOW, JOBFLOWPOLICY
from tests.cli.make import Ran
from tests.e2e.support.scenario import jobflow, step_of, targets

SPEED = 20.0

NAMESPACE = "people"

Live = Callable[..., Ran]


def flow(name: str, **steps: dict[str, object]) -> dict[str, object]:
    return jobflow(NAMESPACE, name, steps)


def uses(name: str, *waits: str, **more: object) -> dict[str, object]:
    """A step of a template."""
    return {"template": name, **targets(*waits), **more}


def policy(name: str, **spec: object) -> dict[str, object]:
    """A policy that matches this namespace only."""
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}}
    kind = {"apiVersion": JOBFLOWPOLICY.api_version, "kind": JOBFLOWPOLICY.kind}
    return {**kind, "metadata": {"name": name}, "spec": {"match": here, **spec}}


@contextlib.contextmanager
def applied_policy(cluster: LocalCluster, name: str, **spec: object) -> Iterator[None]:
    """A policy that the webhook enforces: it sees a change a moment after the API server stored it."""
    cluster.apply(policy(name, **spec))
    try:
        until(lambda: _is_refused(cluster, f"of-{name}"), 15, lambda: f"{name} is not enforced")
        yield
    finally:
        cluster.kube.delete(JOBFLOWPOLICY, "", name)
        until(lambda: not _is_refused(cluster, f"of-{name}"), 15, lambda: f"{name} is still enforced")


def _is_refused(cluster: LocalCluster, name: str) -> bool:
    """Whether a flow would be refused; nothing is stored."""
    path = f"/apis/{JOBFLOW.api_version}/namespaces/{NAMESPACE}/jobflows?dryRun=All"
    try:
        cluster.kube.request("POST", path, flow(name, a=uses("quick")))
    except RestError as error:
        return error.code == 422
    return False


def done(cluster: LocalCluster, name: str, *phases: str) -> dict[str, object]:
    wanted = phases or ("Succeed", "Failed")
    return cluster.wait_for(
        JOBFLOW, NAMESPACE, name, lambda body: body.get("status", {}).get("state", {}).get("phase") in wanted
    )


def waits(cluster: LocalCluster, name: str) -> None:
    cluster.apply(flow(name, a=uses("quick"), ask={"approve": {"message": "ship?"}, **targets("a")}))
    cluster.wait_for(
        JOBFLOW, NAMESPACE, name, lambda seen: step_of(seen, "ask").get("reason") == "WaitingForApproval", 60
    )
