"""Controllers of derived state: aggregated cluster roles, and the usage in the status of quotas."""

from typing import TYPE_CHECKING

from local.apiserver.admission import plugins
from local.apiserver.storage.selectors import matches_labels
from local.apiserver.storage.store import GroupResource, StoreEvent
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

ROLES: GroupResource = ("rbac.authorization.k8s.io", "clusterroles")
QUOTAS: GroupResource = ("", "resourcequotas")


async def roles(core: "ServerState", _: str) -> None:
    """Set the rules of every aggregated cluster role to those of the roles that its selectors match."""
    entries = core.store.bucket(ROLES).entries("")
    for entry in entries:
        selectors = (entry.obj.get("aggregationRule") or {}).get("clusterRoleSelectors")
        if selectors is None:
            continue
        rules: list[Body] = []
        for other in entries:
            labels = other.meta.get("labels") or {}
            if other is not entry and any(matches_labels(selector, labels) for selector in selectors):
                rules += [rule for rule in other.obj.get("rules") or () if rule not in rules]
        if rules != entry.obj.get("rules"):
            core.store.update(ROLES, {**entry.copy(), "rules": rules}, entry)


def quota_changes(core: "ServerState", gr: GroupResource, event: StoreEvent) -> bool:
    """Whether this event can change the usage of a quota in its namespace."""
    namespace = event.entry.key[0]
    if not namespace or namespace not in core.store.bucket(QUOTAS).by_namespace:
        return False
    return gr == QUOTAS or event.kind != "MODIFIED" or gr == ("", "pods")


async def quotas(core: "ServerState", namespace: str) -> None:
    """Write the usage of every quota in a namespace, for the keys that this server counts."""
    for entry in list(core.store.bucket(QUOTAS).by_namespace.get(namespace, {}).values()):
        hard = (entry.obj.get("spec") or {}).get("hard") or {}
        used = {key: str(count) for key in hard if (count := plugins.used(core, namespace, key)) is not None}
        status = {"hard": hard, "used": used}
        if entry.obj.get("status") != status:
            core.store.update(QUOTAS, {**entry.copy(), "status": status}, entry)
