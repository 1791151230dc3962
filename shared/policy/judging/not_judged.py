"""The policies, rules and computed defaults that cannot be evaluated without a cluster, and what they need. `jobflow
lint --policy` reports them, so that nobody assumes that every rule was checked.
"""

from collections.abc import Iterable, Iterator

from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.context import PolicyContext
from shared.policy.match import applies, is_about
from shared.policy.selector import selector_keys

_NAME_LABEL = "kubernetes.io/metadata.name"


def not_judged(context: PolicyContext, policies: Iterable[CompiledPolicy]) -> Iterator[str]:
    """Texts such as `policy nss (needs the labels of namespace ml)`. Empty unless the context is offline."""
    for policy in policies if context.offline else ():
        if policy.users is not None and not context.username:
            if is_about(policy, context):
                yield f"policy {policy.name} (needs the user)"
        elif context.namespace_body is None and _selects_namespaces(policy):
            if is_about(policy, context):
                yield f"policy {policy.name} (needs {_labels(context)})"
        elif applies(policy, context):
            yield from (f"{part} (needs {needs})" for part, needs in _parts(policy, context))


def _parts(policy: CompiledPolicy, context: PolicyContext) -> Iterator[tuple[str, str]]:
    for rule in policy.rules:
        if rule.reads_request and context.request is None:
            yield f"rule {rule.name} of policy {policy.name}", "the request and its user"
        elif rule.reads_namespace and context.namespace_body is None:
            yield f"rule {rule.name} of policy {policy.name}", _labels(context)
    for default in policy.default_values:
        if context.namespace_body is None and any(path[0] == "namespaceObject" for path in default.fields):
            yield f"default {default.field} of policy {policy.name}", _labels(context)


def _selects_namespaces(policy: CompiledPolicy) -> bool:
    """Whether the policy selects namespaces by labels other than the name, which is known."""
    selector = policy.spec.match.namespace_selector if policy.spec.match else None
    return bool(selector_keys(selector) - {_NAME_LABEL})


def _labels(context: PolicyContext) -> str:
    return f"the labels of namespace {context.namespace}; give the Namespace or --namespace-labels"
