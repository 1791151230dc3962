"""Validates JobFlowPolicies. The webhook reports all faults of a policy at once, each with its path."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from shared.duration import seconds_or
from shared.model.policy import CountPer, JobFlowPolicySpec, Limits, Required
from shared.model.types import Model
from shared.podtemplate import check_template
from shared.podtemplate.field import Field
from shared.podtemplate.formats import dns_subdomain, qualified_name
from shared.podtemplate.metadata import label_selector, labels
from shared.policy.compiled.check_expressions import expression_faults
from shared.policy.compiled.check_scope import scope_faults
from shared.policy.patterns.globs import glob_fault, globs
from shared.policy.patterns.images import image_pattern_fault
from shared.policy.selector import unknown_fields
from shared.violation import Reason, Violation


def policy_faults(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    """All faults of the policy."""
    yield from _selectors(spec)
    yield from _patterns(spec.exempt, "spec.exempt")
    yield from _patterns(spec.allowed, "spec.allowed")
    yield from _patterns(spec.denied, "spec.denied")
    yield from _defaults(spec)
    yield from _refused_defaults(spec)
    yield from _required(spec)
    yield from _exceptions(spec)
    yield from _quotas(spec)
    yield from scope_faults(spec)
    yield from expression_faults(spec)


def _quotas(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    limits = spec.limits
    if limits is None:
        return
    if limits.max_held_jobs and limits.max_active_jobs is None:
        yield Violation("spec.limits.maxHeldJobs", "no Job waits without maxActiveJobs", reason=Reason.FORBIDDEN)
    if limits.count_per is not None:
        yield from _count_per(limits, limits.count_per)


def _count_per(limits: Limits, per: CountPer) -> Iterator[Violation]:
    path = "spec.limits.countPer"
    for name, key in (("namespaceLabel", per.namespace_label), ("objectLabel", per.object_label)):
        yield from (Violation(f"{path}.{name}", fault, key) for fault in (qualified_name(key) if key else ()))
    if bool(per.namespace_label) is bool(per.object_label):
        yield Violation(path, "name one label: namespaceLabel or objectLabel", reason=Reason.REQUIRED)
    if not limits.has_quota:
        yield Violation(path, "counts nothing without maxActiveFlows or maxActiveJobs", reason=Reason.FORBIDDEN)


def _selectors(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    match = spec.match
    given = (
        ("namespaceSelector", match.namespace_selector if match else None),
        ("objectSelector", match.object_selector if match else None),
    )
    for name, value in given:
        yield from label_selector(Field(f"spec.match.{name}", value))
        yield from unknown_fields(Field(f"spec.match.{name}", value))


def _patterns(holder: Model | None, path: str) -> Iterator[Violation]:
    """Faults of the lists of patterns in a model."""
    for field in msgspec.structs.fields(holder) if holder is not None else ():
        texts = getattr(holder, field.name)
        for index, text in enumerate(texts if isinstance(texts, tuple) else ()):
            fault = glob_fault(text)
            if fault is None and field.name == "images":
                fault = image_pattern_fault(text)
            if fault is None and field.name == "resource_kinds" and not {"/", "*"} & {*text}:
                fault = "matches no kind: write APIVERSION/KIND, such as batch/v1/Job or */TrainJob"
            if fault:
                yield Violation(f"{path}.{field.encode_name}[{index}]", fault, text)


def _exceptions(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    allowed = spec.exceptions
    if allowed is None:
        return
    yield from _patterns(allowed, "spec.exceptions")
    if not allowed.allowed_namespaces:
        message = 'name at least one namespace, "*" for all; without spec.exceptions there are none'
        yield Violation("spec.exceptions.allowedNamespaces", message, reason=Reason.REQUIRED)
    if seconds_or(allowed.max_duration, 0) <= 0:
        message = "must be a positive duration such as 168h or 1h30m"
        yield Violation("spec.exceptions.maxDuration", message, allowed.max_duration)


_NAMES: Final = (
    ("queue", "queue"),
    ("schedulerName", "scheduler_name"),
    ("priorityClassName", "priority_class_name"),
)


def _defaults(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    defaults = spec.defaults
    if defaults is None:
        return
    for name, attribute in _NAMES:
        text = getattr(defaults, attribute)
        yield from (Violation(f"spec.defaults.{name}", fault, text) for fault in (dns_subdomain(text) if text else ()))
    yield from labels(Field("spec.defaults.labels", defaults.labels))
    # Checked by the rules of pod templates, in a template that has nothing else.
    container = {"name": "c", "image": "i"}
    pod = {"nodeSelector": defaults.node_selector, "tolerations": list(defaults.tolerations), "containers": [container]}
    for fault in check_template({"spec": pod}, "spec.defaults"):
        yield msgspec.structs.replace(fault, path=fault.path.replace("spec.defaults.spec.", "spec.defaults.", 1))


_LISTED: Final = (
    ("queue", "queue", "queues"),
    ("schedulerName", "scheduler_name", "scheduler_names"),
    ("priorityClassName", "priority_class_name", "priority_class_names"),
)
_BOUNDED: Final = (
    ("activeDeadlineSeconds", "active_deadline_seconds", "max_active_deadline_seconds"),
    ("ttlSecondsAfterFinished", "ttl_seconds_after_finished", "max_ttl_seconds_after_finished"),
)


def _refused_defaults(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    """A default that the same policy refuses would make it refuse every object."""
    if spec.defaults is None:
        return
    for name, attribute, listed in _LISTED:
        value = getattr(spec.defaults, attribute)
        only, never = getattr(spec.allowed, listed, ()), getattr(spec.denied, listed, ())
        if value and only and not globs(only).fits(value):
            yield Violation(f"spec.defaults.{name}", "spec.allowed of the same policy does not allow it", value)
        if value and globs(never).fits(value):
            yield Violation(f"spec.defaults.{name}", "spec.denied of the same policy denies it", value)
    for name, attribute, limit in _BOUNDED if spec.limits else ():
        number, most = getattr(spec.defaults, attribute), getattr(spec.limits, limit)
        if number is not None and most is not None and number > most:
            yield Violation(f"spec.defaults.{name}", f"spec.limits of the same policy allows at most {most}", number)


def _required(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    required = spec.required
    if required is None:
        return
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("resourceRequests", required.resource_requests),
        ("resourceLimits", required.resource_limits),
        ("labels", required.labels),
    )
    for name, texts in lists:
        for index, text in enumerate(texts):
            path = f"spec.required.{name}[{index}]"
            yield from (Violation(path, fault, text) for fault in qualified_name(text))
    yield from _label_values(required)


def _label_values(required: Required) -> Iterator[Violation]:
    for key, patterns in required.label_values.items():
        path = f"spec.required.labelValues[{key}]"
        yield from (Violation(path, fault, key) for fault in qualified_name(key))
        if not patterns:
            yield Violation(path, "needs a pattern; * allows every value", reason=Reason.REQUIRED)
        for index, text in enumerate(patterns):
            if fault := glob_fault(text):
                yield Violation(f"{path}[{index}]", fault, text)
