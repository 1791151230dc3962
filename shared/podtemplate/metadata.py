"""Labels and annotations of the pods."""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import label_value, qualified_name
from shared.violation import Reason, Violation

_MOST_ANNOTATION_BYTES: Final = 256 * 1024


def labels(field: Field) -> Iterator[Violation]:
    """A map of labels or a nodeSelector: keys are qualified names, values are label values."""
    for name in field.keys:
        yield from (Violation(field.path, message, name) for message in qualified_name(name))
        value = field.value[name]
        if isinstance(value, str):
            yield from (Violation(field.path, message, value) for message in label_value(value))


def annotations(field: Field) -> Iterator[Violation]:
    """Keys are checked in lower case, as in Kubernetes; values are free up to a total size."""
    for name in field.keys:
        yield from (Violation(field.path, message, name) for message in qualified_name(name.lower()))
    size = sum(len(name) + len(field.key(name).text.encode()) for name in field.keys)
    if size > _MOST_ANNOTATION_BYTES:
        yield Violation(field.path, f"may not be more than {_MOST_ANNOTATION_BYTES} bytes", reason=Reason.TOO_LONG)


def label_selector(field: Field) -> Iterator[Violation]:
    """metav1.LabelSelector in affinity and spread constraints."""
    yield from labels(field.get("matchLabels"))
    for rule in field.get("matchExpressions").items:
        operator, values = rule.get("operator"), rule.get("values")
        if operator.text in ("In", "NotIn") and not values.holds:
            yield values.required("must be specified when `operator` is 'In' or 'NotIn'")
        elif operator.text in ("Exists", "DoesNotExist") and values.holds:
            yield values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        elif operator.text not in ("In", "NotIn", "Exists", "DoesNotExist"):
            yield operator.invalid("not a valid selector operator")
        yield from rule.get("key").each(qualified_name(rule.get("key").text))
        for value in values.items:
            yield from value.each(label_value(value.text))
