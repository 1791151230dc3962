"""Objects of a new cluster: namespaces, the user-facing roles, the service `kubernetes`."""

from typing import TYPE_CHECKING

from local.apiserver.controllers import namespaces
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

_RBAC = "rbac.authorization.k8s.io"
_LABEL = f"{_RBAC}/aggregate-to-"
_READ, _WRITE = ["get", "list", "watch"], ["create", "delete", "deletecollection", "patch", "update"]
_VIEWED = ["configmaps", "endpoints", "events", "limitranges", "namespaces", "persistentvolumeclaims", "pods", "pods/log",
           "pods/status", "replicationcontrollers", "resourcequotas", "serviceaccounts", "services"]  # fmt: skip
_EDITED = ["configmaps", "events", "persistentvolumeclaims", "pods", "replicationcontrollers", "secrets", "serviceaccounts",
           "services"]  # fmt: skip
_RULES = {
    "view": [
        {"apiGroups": [""], "resources": _VIEWED, "verbs": _READ},
        {
            "apiGroups": ["apps", "batch", "autoscaling", "networking.k8s.io", "policy"],
            "resources": ["*"],
            "verbs": _READ,
        },
    ],
    "edit": [
        {"apiGroups": [""], "resources": ["secrets", "pods/exec", "pods/portforward"], "verbs": _READ},
        {"apiGroups": [""], "resources": _EDITED, "verbs": _WRITE},
        {
            "apiGroups": ["apps", "batch", "autoscaling", "networking.k8s.io", "policy"],
            "resources": ["*"],
            "verbs": _WRITE,
        },
    ],
    "admin": [{"apiGroups": [_RBAC], "resources": ["roles", "rolebindings"], "verbs": [*_READ, *_WRITE]}],
}
_INTO = {"view": ("view", "edit", "admin"), "edit": ("edit", "admin"), "admin": ("admin",)}
_EVERYTHING = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]


def fill(core: "ServerState") -> None:
    """Store those that do not exist."""
    for name in namespaces.INITIAL:
        namespaces.create(core, name)
    for name, rules in _RULES.items():
        own = _role(f"system:aggregate-to-{name}", rules=rules)
        own["metadata"]["labels"] = {_LABEL + wanted: "true" for wanted in (name,)}
        _store(core, own)
        labels = [{"matchLabels": {_LABEL + source: "true"}} for source, into in _INTO.items() if name in into]
        whole = _role(name, rules=[rule for source, into in _INTO.items() if name in into for rule in _RULES[source]])
        whole["aggregationRule"] = {"clusterRoleSelectors": labels}
        _store(core, whole)
    _store(core, _role("cluster-admin", rules=_EVERYTHING))
    binding = namespaces.plain(f"{_RBAC}/v1", "ClusterRoleBinding", "", "cluster-admin")
    binding["subjects"] = [{"kind": "Group", "name": "system:masters", "apiGroup": _RBAC}]
    binding["roleRef"] = {"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": _RBAC}
    if core.store.get((_RBAC, "clusterrolebindings"), "", "cluster-admin") is None:
        core.store.create((_RBAC, "clusterrolebindings"), binding)


def _role(name: str, rules: list[Body]) -> Body:
    return {**namespaces.plain(f"{_RBAC}/v1", "ClusterRole", "", name), "rules": rules}


def _store(core: "ServerState", role: Body) -> None:
    if core.store.get((_RBAC, "clusterroles"), "", role["metadata"]["name"]) is None:
        core.store.create((_RBAC, "clusterroles"), role)
