"""`match` and `exempt`: whether a policy applies to an object."""

from shared.kinds import Kind
from shared.model.types import Body
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.context import CREATE, PolicyContext
from shared.policy.selector import selects


def applies(policy: CompiledPolicy, context: PolicyContext) -> bool:
    """Whether the policy applies to the object and the user."""
    return not why_not(policy, context)


def why_not(policy: CompiledPolicy, context: PolicyContext) -> str:
    """Why the policy does not apply to the object and the user; '' if it applies.

    As in the API server's matching of webhooks, the labels before or after the change must match.
    """
    return _not_in_scope(policy, context) or _not_matched(policy, context) or _exempt(policy, context)


def covers(policy: CompiledPolicy, kind: Kind, body: Body, namespace: Body | None) -> bool:
    """Whether the policy is about a stored object, whoever has created it. `namespace`: its Namespace, None if unknown."""
    name = str(body["metadata"].get("namespace") or "")
    context = PolicyContext(kind=kind, body=body, namespace=name, namespace_body=namespace)
    return not (_not_matched(policy, context) or _exempt(policy, context))


def _not_in_scope(policy: CompiledPolicy, context: PolicyContext) -> str:
    """Why the policy is not about such requests, or not now. A stored object is judged like one that is created."""
    if context.now is not None and policy.validity.until(context.now) is None:
        return "validity: it is not in force now"
    if (context.operation or CREATE) not in policy.operations:
        return f"match.operations: {', '.join(sorted(policy.operations))}"
    if policy.users is not None and not policy.users.fit(context.username, context.groups):
        return "match.users" if context.username else "match.users: the user is unknown"
    return ""


def _not_matched(policy: CompiledPolicy, context: PolicyContext) -> str:
    match = policy.spec.match
    if match is not None:
        if not is_about(policy, context):
            return f"match.kinds: {', '.join(match.kinds)}"
        if not selects(match.namespace_selector, context.namespace_labels):
            return "match.namespaceSelector does not select the namespace"
        before = context.old is not None and selects(match.object_selector, context.old_labels)
        if not (before or selects(match.object_selector, context.labels)):
            return "match.objectSelector does not select the object"
    return ""


def is_about(policy: CompiledPolicy, context: PolicyContext) -> bool:
    """Whether the policy is about this kind of object. A template is of two kinds: what it becomes, and what contains it."""
    match = policy.spec.match
    return match is None or not match.kinds or any(kind in match.kinds for kind in context.kinds)


def _exempt(policy: CompiledPolicy, context: PolicyContext) -> str:
    if policy.exempt_namespaces.fits(context.namespace):
        return "exempt.namespaces"
    if context.username and policy.exempt_usernames.fits(context.username):
        return "exempt.usernames"
    return "exempt.groups" if policy.exempt_groups.fits(*context.groups) else ""


def needs_namespace(policy: CompiledPolicy) -> bool:
    """Whether the policy needs the Namespace object."""
    match = policy.spec.match
    computed = any(path[0] == "namespaceObject" for default in policy.default_values for path in default.fields)
    reads = computed or any(rule.reads_namespace for rule in policy.rules)
    reads = reads or any(quota.per.namespace_label for quota in policy.quotas)
    return reads or bool(match is not None and match.namespace_selector)
