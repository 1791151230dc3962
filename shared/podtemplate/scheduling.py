"""Scheduling fields of pods: nodeSelector, tolerations, affinity, spread constraints, scheduling gates."""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import (
    above_zero,
    dns_label,
    dns_subdomain,
    label_value,
    qualified_name,
)
from shared.podtemplate.metadata import label_selector, labels
from shared.violation import Violation

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def scheduling(spec: Field, pod_labels: Field) -> Iterator[Violation]:
    """`pod_labels`: of the template; Kubernetes adds some of them to selectors (`matchLabelKeys`)."""
    yield from labels(spec.get("nodeSelector"))
    yield from tolerations(spec.get("tolerations"))
    if (affinity := spec.get("affinity")).present:
        yield from _node_affinity(affinity.get("nodeAffinity"))
        for kind in ("podAffinity", "podAntiAffinity"):
            yield from _pod_affinity(affinity.get(kind), pod_labels)
    yield from _spread(spec.get("topologySpreadConstraints"), pod_labels)
    seen: set[str] = set()
    for gate in spec.get("schedulingGates").items:
        name = gate.get("name").text
        yield from (Violation(gate.path, message, name) for message in qualified_name(name))
        if name in seen:
            yield gate.duplicate(name)
        seen.add(name)


def tolerations(field: Field) -> Iterator[Violation]:
    for toleration in field.items:
        yield from _toleration(toleration)


def _toleration(field: Field) -> Iterator[Violation]:
    key, operator, value, effect = (field.get(name) for name in ("key", "operator", "value", "effect"))
    if key.text:
        yield from key.each(qualified_name(key.text))
    elif operator.text != "Exists":
        message = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield Violation(operator.path, message, operator.text)
    if field.get("tolerationSeconds").present and effect.text != "NoExecute":
        yield Violation(effect.path, "effect must be 'NoExecute' when `tolerationSeconds` is set", effect.text)
    if operator.text in ("", "Equal"):
        yield from (Violation(operator.path, message, value.text) for message in label_value(value.text))
    elif operator.text == "Exists" and value.text:
        yield Violation(operator.path, "value must be empty when `operator` is 'Exists'", value.text)
    yield from operator.one_of("Equal", "Exists")  # Lt and Gt need a feature gate
    yield from effect.one_of(*_EFFECTS)


def _node_affinity(field: Field) -> Iterator[Violation]:
    required = field.get(_REQUIRED)
    if required.present and not required.get("nodeSelectorTerms").holds:
        yield required.get("nodeSelectorTerms").required("must have at least one node selector term")
    for term in required.get("nodeSelectorTerms").items:
        yield from _node_term(term)
        for rule in term.get("matchExpressions").items:
            for value in rule.get("values").items:
                yield from value.each(label_value(value.text))
    for weighted in field.get(_PREFERRED).items:
        yield from _weight(weighted)
        yield from _node_term(weighted.get("preference"))


def _node_term(term: Field) -> Iterator[Violation]:
    for rule in term.get("matchExpressions").items:
        operator, values = rule.get("operator"), rule.get("values")
        count = len(list(values.items))
        if operator.text in ("In", "NotIn"):
            if not count:
                yield values.required("must be specified when `operator` is 'In' or 'NotIn'")
        elif operator.text in ("Exists", "DoesNotExist"):
            if count:
                yield values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        elif operator.text in ("Gt", "Lt"):
            if count != 1:
                yield values.required("must be specified single value when `operator` is 'Lt' or 'Gt'")
        else:
            yield operator.invalid("not a valid selector operator")
        yield from rule.get("key").each(qualified_name(rule.get("key").text))
    for rule in term.get("matchFields").items:
        if rule.get("key").text != "metadata.name":
            yield rule.get("key").invalid("not a valid field selector key")
        if rule.get("operator").text not in ("In", "NotIn"):
            yield rule.get("operator").invalid("not a valid selector operator")
        elif len(list(rule.get("values").items)) != 1:
            message = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            yield rule.get("values").required(message)
        for value in rule.get("values").items:
            yield from value.each(dns_subdomain(value.text))


def _pod_affinity(field: Field, pod_labels: Field) -> Iterator[Violation]:
    for weighted in field.get(_PREFERRED).items:
        yield from _weight(weighted)
    terms = [*field.get(_REQUIRED).items, *(one.get("podAffinityTerm") for one in field.get(_PREFERRED).items)]
    for term in terms:
        key = term.get("topologyKey")
        if not key.text:
            yield key.required("can not be empty")
        else:
            yield from key.each(qualified_name(key.text))
        yield from label_selector(term.get("labelSelector"))
        yield from label_selector(term.get("namespaceSelector"))
        for namespace in term.get("namespaces").items:
            yield from namespace.each(dns_label(namespace.text))
        yield from _label_keys(term, pod_labels)


def _weight(field: Field) -> Iterator[Violation]:
    weight = field.get("weight")
    if not 1 <= (weight.number or 0) <= 100:
        yield Violation(weight.path, "must be in the range 1-100", weight.value if weight.present else 0)


def _spread(field: Field, pod_labels: Field) -> Iterator[Violation]:
    seen: set[tuple[str, str]] = set()
    for constraint in field.items:
        key, action, domains = (constraint.get(name) for name in ("topologyKey", "whenUnsatisfiable", "minDomains"))
        skew = constraint.get("maxSkew")
        shown = skew.value if skew.present else 0
        yield from (Violation(skew.path, message, shown) for message in above_zero(skew.number or 0))
        if not key.text:
            yield key.required("can not be empty")
        if not action.text:
            yield action.required()
        yield from action.one_of("DoNotSchedule", "ScheduleAnyway")
        if (key.text, action.text) in seen:
            yield constraint.get("{topologyKey, whenUnsatisfiable}").duplicate(f"{{{key.text}, {action.text}}}")
        seen.add((key.text, action.text))
        if domains.number is not None:
            yield from domains.each(above_zero(domains.number))
            if action.text != "DoNotSchedule":
                needed = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action.text}"
                yield domains.invalid(needed)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            yield from constraint.get(name).one_of_given("Honor", "Ignore")
        yield from label_selector(constraint.get("labelSelector"))
        yield from _label_keys(constraint, pod_labels)


def _label_keys(term: Field, pod_labels: Field) -> Iterator[Violation]:
    """`matchLabelKeys` and `mismatchLabelKeys`: labels of the pod that are added to the selector."""
    selector, match, mismatch = (term.get(name) for name in ("labelSelector", "matchLabelKeys", "mismatchLabelKeys"))
    for field in (match, mismatch):
        if field.holds and not selector.present:
            yield field.forbidden("must not be specified when labelSelector is not set")
            continue
        for key in field.items:
            yield from key.each(qualified_name(key.text))
    selected = [*selector.get("matchLabels").keys]
    selected += [rule.get("key").text for rule in selector.get("matchExpressions").items]
    selected += [key.text for key in match.items if key.text in pod_labels.keys]  # Kubernetes adds these
    others = {key.text for key in mismatch.items}
    for key in match.items:
        if selected.count(key.text) > 1:
            yield key.invalid("exists in both matchLabelKeys and labelSelector")
        if key.text in others:
            yield key.invalid("exists in both matchLabelKeys and mismatchLabelKeys")
