"""Who may create exceptions, by the roles of the chart, on a real kube-apiserver: the embedded one has no RBAC."""

import yaml

from local.client.blocking import until
from tests.e2e.policies.test_policy_exceptions import exception, house
from tests.e2e.support.scenario import Scenario
from tests.helm.chart import render

__all__ = ["house"]


def as_user(scenario: Scenario, user: str, *arguments: str, stdin: str = "") -> str:
    done = scenario.cluster.kubectl(f"--as={user}", *arguments, stdin=stdin, check=False)
    return done.stderr + done.stdout


def test_only_those_with_the_role_create_exceptions(scenario: Scenario, house: str) -> None:
    """The roles of the chart: editors of a namespace read exceptions, and only `exceptions` writes them."""
    roles = [each for each in render() if each["kind"] == "ClusterRole"]
    names = {}
    for word in ("editor", "exceptions"):
        role = next(each for each in roles if each["metadata"]["name"].endswith(f"-{word}"))
        names[word] = f"{scenario.namespace}-{word}"
        role = {**role, "metadata": {"name": names[word]}}
        scenario.cluster.kubectl.apply(role)
    for user, word in (("ed", "editor"), ("ada", "exceptions")):
        scenario.cluster.kubectl.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": user, "namespace": scenario.namespace},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": names[word]},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
            }
        )
    body = str(yaml.safe_dump(exception(scenario, house)))
    until(lambda: "created" in as_user(scenario, "ada", "create", "-f", "-", stdin=body), 15, lambda: "no right")
    assert (
        "forbidden"
        in as_user(scenario, "ed", "create", "-f", "-", stdin=body.replace("name: x", "name: second")).lower()
    )
    listed = as_user(scenario, "ed", "get", "jobflowpolicyexceptions", "-n", scenario.namespace)
    assert "x" in listed.split()
    gone = as_user(scenario, "ed", "delete", "jobflowpolicyexception", "x", "-n", scenario.namespace)
    assert "forbidden" in gone.lower()
    for name in names.values():
        scenario.cluster.kubectl("delete", "clusterrole", name)
