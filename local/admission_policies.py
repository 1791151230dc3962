"""The ValidatingAdmissionPolicies of the chart that check graphs and enforce JobFlowPolicies, with their bindings."""

from collections.abc import Iterator, Sequence

from shared.kinds import ADMISSION_POLICY, ADMISSION_POLICY_BINDING, Kind
from shared.model.types import Body
from webhook.inprocess import admission_policies as in_process
from webhook.structure import policies as structure


def objects(name: str, excluded: Sequence[str]) -> Iterator[tuple[Kind, Body]]:
    """As the chart renders them where the webhook warns itself. `name`: start of the names; `excluded`: namespaces in
    which nothing is refused.
    """
    for policy in structure.policies():
        yield from _bound(policy, f"{name}-{policy['metadata']['name']}", "Deny", excluded)
    parameters = {"paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"}}
    for policy in in_process.policies():
        for mode in in_process.modes():
            whole = f"{name}-{policy['metadata']['name']}-{mode.action.lower()}"
            action = "Audit" if mode.action == "Warn" else mode.action
            yield from _bound(in_process.with_mode(policy, mode), whole, action, excluded, **parameters)


def _bound(policy: Body, name: str, action: str, excluded: Sequence[str], **more: Body) -> Iterator[tuple[Kind, Body]]:
    selector = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(excluded)}
    spec = {
        "policyName": name,
        "validationActions": [action],
        "matchResources": {"namespaceSelector": {"matchExpressions": [selector]}},
        **more,
    }
    yield ADMISSION_POLICY, {**policy, "metadata": {"name": name}}
    yield (
        ADMISSION_POLICY_BINDING,
        {
            "apiVersion": ADMISSION_POLICY_BINDING.api_version,
            "kind": ADMISSION_POLICY_BINDING.kind,
            "metadata": {"name": name},
            "spec": spec,
        },
    )
