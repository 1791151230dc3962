"""People with rights on a real API server: roles and admission policies of the chart, bindings, and what people send."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from local.cluster import LocalCluster
from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING, Kind
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario
from tests.helm.chart import render

_GROUP = "rbac.authorization.k8s.io"
RBAC = {"apiVersion": f"{_GROUP}/v1"}
_ROLE = Kind(f"{_GROUP}/v1", "ClusterRole", "clusterroles", namespaced=False)
_BINDING = Kind(f"{_GROUP}/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
_ROLE_BINDING = Kind(f"{_GROUP}/v1", "RoleBinding", "rolebindings")
_KINDS = {kind.kind: kind for kind in (ADMISSION_POLICY, ADMISSION_POLICY_BINDING, _ROLE, _BINDING, _ROLE_BINDING)}
_OF_CHART = {kind.kind for kind in (ADMISSION_POLICY, ADMISSION_POLICY_BINDING, _ROLE)}


def parts_of_chart(*names: str, values: Body | None = None) -> list[Body]:
    """The chart's admission policies, their bindings and its ClusterRoles that have one of these names."""
    return [one for one in render(values) if one["kind"] in _OF_CHART and one["metadata"]["name"] in names]


def apply_all(cluster: LocalCluster, bodies: Sequence[Body]) -> None:
    for body in bodies:
        cluster.kube.apply(_KINDS[body["kind"]], body)


def bind(cluster: LocalCluster, *pairs: tuple[str, str]) -> None:
    """Let users do in all namespaces what ClusterRoles allow. `pairs`: (user, role)."""
    apply_all(cluster, [_binding("ClusterRoleBinding", ("User", user), role) for user, role in pairs])


def bind_in(scenario: Scenario, group: str, *roles: str) -> None:
    """Let the members of a group do in the scenario's namespace what the ClusterRoles allow, as `kubectl create rolebinding` does."""
    apply_all(
        scenario.cluster,
        [_binding("RoleBinding", ("Group", group), role, namespace=scenario.namespace) for role in roles],
    )


def _binding(kind: str, subject: tuple[str, str], role: str, **metadata: str) -> Body:
    who, name = subject
    return {
        **RBAC,
        "kind": kind,
        "metadata": {"name": f"{name}-{role}", **metadata},
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": who, "name": name, "apiGroup": _GROUP}],
    }


@contextmanager
def scenario_in(cluster: LocalCluster, prefix: str) -> Iterator[Scenario]:
    """A scenario in a new namespace."""
    name = f"{prefix}-{time.monotonic_ns()}"
    with cluster.namespace(name):
        yield Scenario(cluster, name)


def sent(scenario: Scenario, user: str, body: Body, *verb: str) -> str:
    """What kubectl says when that user sends `body`."""
    file = scenario.cluster.folder / "sent.json"
    file.write_text(json.dumps(body))
    arguments = [*(verb or ("create",)), f"--as={user}", "-f", str(file), f"-n{scenario.namespace}"]
    return run(scenario, arguments)


def run(scenario: Scenario, arguments: list[str]) -> str:
    """What kubectl says, whether it succeeds or not."""
    done = scenario.cluster.kubectl(*arguments, check=False)
    return done.stdout + done.stderr
