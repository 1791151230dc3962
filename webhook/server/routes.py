"""The webhook's paths as data: the server answers them, the chart and the local cluster register them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared import kinds
from shared.kinds import Kind
from shared.names import JDB_MAX_UNAVAILABLE, JDB_MIN_AVAILABLE

CREATE: Final = "CREATE"
UPDATE: Final = "UPDATE"
DELETE: Final = "DELETE"
# An object that is being deleted is always allowed, so that garbage collection never waits for the webhook.
_LIVING: Final = {
    "name": "not-being-deleted",
    "expression": "request.operation == 'DELETE' || !has(object.metadata.deletionTimestamp)",
}
# Warnings are of no use to the garbage collector and the namespace controller.
_BY_PEOPLE: Final = {
    "name": "not-by-kubernetes-itself",
    "expression": "!request.userInfo.username.startsWith('system:serviceaccount:kube-system:') && "
    "request.userInfo.username != 'system:kube-controller-manager'",
}
# Only these Commands make a flow create objects again.
_STARTS_AGAIN: Final = {
    "name": "starts-steps-again",
    "expression": "has(object.action) && object.action in ['RetryJobFlow', 'RestartJobFlow']",
}
_WITH_BUDGET: Final = {
    "name": "has-a-disruption-budget",
    "expression": "has(object.metadata.annotations) && ("
    f"'{JDB_MIN_AVAILABLE}' in object.metadata.annotations || '{JDB_MAX_UNAVAILABLE}' in object.metadata.annotations)",
}


class WebhookRoute(msgspec.Struct, frozen=True):
    """One webhook. `optional`: the name under which the chart's values enable it; '' for always enabled.

    `lenient`: failurePolicy Ignore, for webhooks that only return warnings.
    """

    path: str
    kind: Kind
    operations: tuple[str, ...]
    mutating: bool = False
    optional: str = ""
    lenient: bool = False
    conditions: tuple[Mapping[str, str], ...] = (_LIVING,)

    @property
    def name(self) -> str:
        """The webhook's name, e.g. `validate.jobs.batch.volcano.sh`; the API server requires at least three parts."""
        verb = self.path.rpartition("/")[2]
        return f"{verb}.{self.kind.plural}.{self.kind.group or 'core.jobflow.dev'}"


ROUTES: Final[tuple[WebhookRoute, ...]] = (
    WebhookRoute("/jobflows/mutate", kinds.JOBFLOW, (CREATE, UPDATE), mutating=True),
    WebhookRoute("/jobtemplates/mutate", kinds.JOBTEMPLATE, (CREATE, UPDATE), mutating=True),
    WebhookRoute("/jobs/mutate", kinds.JOB, (CREATE, UPDATE), mutating=True),
    WebhookRoute("/cronjobs/mutate", kinds.CRONJOB, (CREATE,), mutating=True),
    WebhookRoute("/jobflowtemplates/mutate", kinds.JOBFLOWTEMPLATE, (CREATE, UPDATE), mutating=True),
    WebhookRoute("/cronjobflows/mutate", kinds.CRONJOBFLOW, (CREATE, UPDATE), mutating=True),
    WebhookRoute("/backfills/mutate", kinds.CRONJOBFLOWBACKFILL, (CREATE, UPDATE), mutating=True),
    WebhookRoute("/commands/mutate", kinds.COMMAND, (CREATE,), mutating=True, conditions=(_LIVING, _STARTS_AGAIN)),
    WebhookRoute("/queues/mutate", kinds.QUEUE, (CREATE,), mutating=True),
    WebhookRoute("/podgroups/mutate", kinds.PODGROUP, (CREATE,), mutating=True),
    WebhookRoute("/policies/mutate", kinds.JOBFLOWPOLICY, (CREATE, UPDATE), mutating=True),
    WebhookRoute("/policyexceptions/mutate", kinds.JOBFLOWPOLICYEXCEPTION, (CREATE,), mutating=True),
    WebhookRoute("/jobflows/validate", kinds.JOBFLOW, (CREATE, UPDATE)),
    WebhookRoute("/jobflows/deleted", kinds.JOBFLOW, (DELETE,), lenient=True, conditions=(_BY_PEOPLE,)),
    WebhookRoute("/jobtemplates/validate", kinds.JOBTEMPLATE, (CREATE, UPDATE)),
    WebhookRoute("/jobtemplates/deleted", kinds.JOBTEMPLATE, (DELETE,), lenient=True),
    WebhookRoute("/jobs/validate", kinds.JOB, (CREATE, UPDATE)),
    WebhookRoute("/cronjobs/validate", kinds.CRONJOB, (CREATE, UPDATE)),
    WebhookRoute("/jobflowtemplates/validate", kinds.JOBFLOWTEMPLATE, (CREATE, UPDATE)),
    WebhookRoute("/cronjobflows/validate", kinds.CRONJOBFLOW, (CREATE, UPDATE)),
    WebhookRoute("/backfills/validate", kinds.CRONJOBFLOWBACKFILL, (CREATE, UPDATE)),
    WebhookRoute("/queues/validate", kinds.QUEUE, (CREATE, UPDATE, DELETE)),
    WebhookRoute("/podgroups/validate", kinds.PODGROUP, (CREATE,)),
    WebhookRoute("/commands/validate", kinds.COMMAND, (CREATE,)),
    WebhookRoute("/policies/validate", kinds.JOBFLOWPOLICY, (CREATE, UPDATE)),
    WebhookRoute("/policyexceptions/validate", kinds.JOBFLOWPOLICYEXCEPTION, (CREATE, UPDATE)),
    WebhookRoute("/pods/validate", kinds.POD, (CREATE,), optional="pods", conditions=(_WITH_BUDGET,)),
)


def hook(route: WebhookRoute) -> dict[str, Any]:
    """The part of a webhook entry that the route determines. The installer adds address, policy and selectors."""
    rule = {
        "apiGroups": [route.kind.group],
        "apiVersions": [route.kind.version],
        "operations": list(route.operations),
        "resources": [route.kind.plural],
        "scope": "Namespaced" if route.kind.namespaced else "Cluster",
    }
    made: dict[str, Any] = {"name": route.name, "path": route.path}
    if route.optional:
        made["optional"] = route.optional
    if route.lenient:
        made["failurePolicy"] = "Ignore"
    return made | {"matchConditions": [dict(each) for each in route.conditions], "rules": [rule]}
