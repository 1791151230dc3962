"""CEL of whether a JobFlowPolicy applies to an object and its user, as shared.policy.match says it in Python."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.kinds import Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.names import LAST_APPLIED
from shared.policy.admission.cel import EMPTY_LIST, field, fits
from shared.policy.admission.sides import CREATES, KIND, NEW, OLD

Condition = tuple[str, str]
ACTIONS: Final[Mapping[PolicyMode, str]] = {
    PolicyMode.ENFORCE: "Deny",
    PolicyMode.WARN: "Warn",
    PolicyMode.AUDIT: "Audit",
}
"""The action of the binding of each mode."""
_MATCH: Final = "params.spec.match"
_EXEMPT: Final = "params.spec.exempt"
_STATUS: Final = "params.status.inProcess"
_EMBEDDED: Final = (("CronJob", "Job"), ("CronJobFlow", "JobFlow"), ("JobFlowTemplate", "JobFlow"))


def mode_condition(mode: PolicyMode) -> str:
    """Whether the JobFlowPolicy is of a mode."""
    return f"{field('params.spec', 'mode', _literal(PolicyMode.ENFORCE))} == {_literal(mode)}"


def one_condition(all_: Iterable[Condition]) -> Body:
    """One matchCondition for all of them: the API server evaluates every one, also after one that is false."""
    return {"name": "concerned", "expression": " && ".join(f"({expression})" for _, expression in all_)}


def conditions(checks: Iterable[str]) -> list[Condition]:
    """Of all modes. They cannot read the Namespace; see `applies`.

    `listed`: the controller has read this version of the policy and lists one of these checks.
    """
    known = "[" + ", ".join(f"'{name}'" for name in checks) + "]"
    return [
        (
            "listed",
            (
                f"has(params.status) && has({_STATUS}) && has({_STATUS}.rules) && has({_STATUS}.observedGeneration)"
                f" && {_STATUS}.observedGeneration == params.metadata.generation && {_STATUS}.rules.exists(r, r in {known})"
            ),
        ),
        ("kinds", _kinds()),
        ("not-exempt", _not_exempt()),
        ("not-being-deleted", "!has(object.metadata.deletionTimestamp)"),
    ]


def resource_rule(kind: Kind) -> Body:
    """What is judged: creations and updates of a kind, without its subresources."""
    return {
        "apiGroups": [kind.group],
        "apiVersions": [kind.version],
        "operations": ["CREATE", "UPDATE"],
        "resources": [kind.plural],
        "scope": "Namespaced",
    }


def only_suspends() -> Condition:
    """Suspending a JobFlow is never refused."""
    new, old = "dyn(object)", "dyn(oldObject)"
    others = (
        f"{new}.spec.all(k, k == 'suspend' || (k in {old}.spec && {new}.spec[k] == {old}.spec[k]))"
        f" && {old}.spec.all(k, k == 'suspend' || k in {new}.spec)"
    )
    labels = f"{field(f'{new}.metadata', 'labels', '{}')} == {field(f'{old}.metadata', 'labels', '{}')}"
    labels += f" && {_same_annotations(new, old)} && {_same_annotations(old, new)}"
    stops = f"has({new}.spec.suspend) && {new}.spec.suspend && !(has({old}.spec.suspend) && {old}.spec.suspend)"
    is_flow = f"{KIND} == 'JobFlow' && !({CREATES}) && has({new}.spec) && has({old}.spec)"
    return "does-not-only-suspend", f"!({is_flow} && {stops} && {others} && {labels})"


def applies() -> str:
    """Whether the policy selects the namespace and the object, by its labels before or after the change."""
    by_namespace = _selects(f"{_MATCH}.namespaceSelector", field("namespaceObject.metadata", "labels", "{}"))
    by_object = f"({_selects(f'{_MATCH}.objectSelector', NEW.of('labels'))} || variables.before)"
    return f"!has({_MATCH}) || ({by_namespace} && {by_object})"


def applied_before() -> str:
    """Whether there is a stored object that the policy selects by its labels; else all faults of an update are new."""
    return f"!({CREATES}) && (!has({_MATCH}) || {_selects(f'{_MATCH}.objectSelector', OLD.of('labels'))})"


def _same_annotations(one: str, other: str) -> str:
    """Those of the first are in the other, except kubectl's copy of the manifest, which contains `suspend` as well."""
    first, second = (field(f"{each}.metadata", "annotations", "{}") for each in (one, other))
    return f"{first}.all(k, k == '{LAST_APPLIED}' || (k in {second} && {second}[k] == {first}[k]))"


def _literal(mode: PolicyMode) -> str:
    return f"'{mode.value}'"


def _kinds() -> str:
    kinds = f"{_MATCH}.kinds"
    embedded = " || ".join(f"({KIND} == '{outer}' && '{inner}' in {kinds})" for outer, inner in _EMBEDDED)
    return f"!has({_MATCH}) || !has({kinds}) || size({kinds}) == 0 || {KIND} in {kinds} || {embedded}"


def _not_exempt() -> str:
    user, groups = "request.userInfo.username", field("request.userInfo", "groups", EMPTY_LIST)
    by_user = f"{user} != '' && {_listed('usernames', user)}"
    by_group = f"{groups}.exists(g, {_listed('groups', 'g')})"
    return f"!has({_EXEMPT}) || !({_listed('namespaces', 'request.namespace')} || ({by_user}) || {by_group})"


def _listed(name: str, text: str) -> str:
    patterns = f"{_EXEMPT}.{name}"
    return f"(has({patterns}) && {fits(text, patterns)})"


def _selects(selector: str, labels: str) -> str:
    """A metav1.LabelSelector, as in shared.policy.selector. An absent one selects everything."""
    value = f"{labels}[e.key]"
    holds = (
        f"e.operator == 'In' ? e.key in {labels} && {value} in e.values"
        f" : e.operator == 'NotIn' ? !(e.key in {labels} && {value} in e.values)"
        f" : e.operator == 'Exists' ? e.key in {labels} : !(e.key in {labels})"
    )
    wanted, expressions = f"{selector}.matchLabels", f"{selector}.matchExpressions"
    equal = f"{wanted}.all(k, k in {labels} && {labels}[k] == {wanted}[k])"
    return (
        f"(!has({selector}) || ((!has({wanted}) || {equal}) && (!has({expressions}) || {expressions}.all(e, {holds}))))"
    )
