"""Expressions, patterns and selectors of a JobFlowPolicy are valid (docs/design/jobflow-api.md, section 9)."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.policy.compiled.check import policy_faults
from shared.policy.compiled.check_expressions import request_field_faults
from shared.policy.patterns.images import image_pattern_doubt
from shared.violation import Violation
from webhook.subject.policy_subjects import PolicySubject
from webhook.subject.subjects import body_or_empty

_WITHOUT_VIOLATIONS: Final = frozenset({"mode", "severity", "defaults", "approvals"})
"""Fields of the spec that no stored object can violate."""
_OUTCOMES: Final[Mapping[PolicyMode, str]] = {
    PolicyMode.ENFORCE: "would be refused",
    PolicyMode.WARN: "would be warned about",
    PolicyMode.AUDIT: "would be recorded",
}


def policy_can_work(policy: PolicySubject) -> Iterator[Violation]:
    yield from policy_faults(policy.spec)
    yield from request_field_faults(policy.spec)


def stored_objects_violate_the_policy(policy: PolicySubject) -> Iterator[str]:
    """In a dry run, the violations of the last scan, if the scan was of the same rules: before a change of the mode."""
    if not policy.dry_run or policy.old is None:
        return
    status, generation = body_or_empty(policy.old.get("status")), body_or_empty(policy.old.get("metadata"))
    count, at = status.get("violations"), status.get("lastScanTime")
    current = status.get("observedGeneration") == generation.get("generation")
    if not (current and isinstance(count, int) and count > 0 and at) or _judged(policy.raw) != _judged(policy.old):
        return
    outcome = _OUTCOMES[policy.spec.mode or PolicyMode.ENFORCE]
    yield f"violations by stored objects at the scan of {at}: {count}; such objects are kept, new ones {outcome}"


def patterns_that_match_no_image(policy: PolicySubject) -> Iterator[str]:
    for name, holder in (("allowed", policy.spec.allowed), ("denied", policy.spec.denied)):
        for index, text in enumerate(holder.images if holder is not None else ()):
            if doubt := image_pattern_doubt(text):
                yield f'spec.{name}.images[{index}]: "{text}" {doubt}'


def _judged(body: Body) -> Body:
    return {key: value for key, value in body_or_empty(body.get("spec")).items() if key not in _WITHOUT_VIOLATIONS}
