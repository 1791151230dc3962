"""`allowed` and `denied`: the queues, images, schedulers, priority classes, plugins, service accounts and kinds for use.

A value must match one of the allowed patterns and none of the denied ones; a denied value is denied even if it is also
allowed. An image that is not a valid reference is a fault as soon as a policy restricts images.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.podtemplate.field import Field
from shared.policy.context import PolicyContext
from shared.policy.fault import PolicyFault
from shared.policy.judging.usage import FLOW_USES, USES
from shared.policy.patterns.fields import Patterns
from shared.policy.patterns.globs import Globs
from shared.policy.patterns.images import ImagePatterns, ImageReference, parse_image
from shared.violation import Reason

_Value = str | ImageReference
_SHOWN: Final = 10
_OF_IMAGES: Final = ("images", "registries", "imageTags")


def allowed_faults(allowed: Mapping[str, Patterns], context: PolicyContext) -> Iterator[PolicyFault]:
    """The values that no pattern allows. `allowed`: patterns by the API name of the field."""
    for name, patterns in allowed.items():
        yield from _faults("allowed", name, patterns, context, must_match=True)


def denied_faults(denied: Mapping[str, Patterns], context: PolicyContext) -> Iterator[PolicyFault]:
    """The values that a pattern denies. `denied`: patterns by the API name of the field."""
    for name, patterns in denied.items():
        yield from _faults("denied", name, patterns, context, must_match=False)


def _faults(
    group: str, name: str, patterns: Patterns, context: PolicyContext, *, must_match: bool
) -> Iterator[PolicyFault]:
    refused = "not allowed; allowed" if must_match else "denied; denied are"
    for field in _used(name, context):
        value = _value(name, field.text)
        if value is None:
            message = "not a valid image reference"
        elif not value or _matches(patterns, value) is must_match:
            continue
        else:
            message = f"{refused}: {_listed(patterns.texts)}"
        yield PolicyFault(f"{group}.{name}", field.path, message, field.text, Reason.INVALID)


def _used(name: str, context: PolicyContext) -> Iterator[Field]:
    """The fields whose texts are judged."""
    if name in FLOW_USES:
        yield from FLOW_USES[name](context)
        return
    for part in context.jobs:
        yield from (field for field in USES[name](context, part) if part.says(field))


def _value(name: str, text: str) -> _Value | None:
    """The part of the text that patterns of `name` judge; '' for an image without a tag; None for an invalid image."""
    if name not in _OF_IMAGES:
        return text
    image = parse_image(text)
    if image is None or name == "images":
        return image
    return image.registry if name == "registries" else image.tag


def _matches(patterns: Patterns, value: _Value) -> bool:
    if isinstance(value, ImageReference):
        return isinstance(patterns, ImagePatterns) and patterns.match(value)
    return isinstance(patterns, Globs) and patterns.fits(value)


def _listed(texts: tuple[str, ...]) -> str:
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
