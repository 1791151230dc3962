"""PersistentVolumeClaims that are created from a template: `ephemeral.volumeClaimTemplate`, and a Job's `volumeClaim`."""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import dns_label, dns_subdomain
from shared.podtemplate.metadata import annotations, label_selector, labels
from shared.podtemplate.resources.amounts import above_zero_amount
from shared.violation import Violation

_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_METADATA: Final = ("annotations", "labels")


def claim_template(field: Field) -> Iterator[Violation]:
    if not field.present:
        yield field.required()
        return
    metadata = field.get("metadata")
    yield from annotations(metadata.get("annotations"))
    yield from labels(metadata.get("labels"))
    for name in metadata.keys:
        if name not in _METADATA and metadata.get(name).value not in (None, "", [], {}, 0):
            yield metadata.get(name).forbidden("cannot be set")
    yield from claim_spec(field.get("spec"))


def claim_spec(spec: Field) -> Iterator[Violation]:
    """The reasons why the API server would refuse a claim with this spec."""
    modes = spec.get("accessModes")
    if not modes.holds:
        yield modes.required("at least 1 access mode is required")
    for mode in modes.items:
        yield from mode.one_of_always(*_MODES)
    known = {mode.text for mode in modes.items if mode.text in _MODES}
    if "ReadWriteOncePod" in known and len(known) > 1:
        yield modes.forbidden("may not use ReadWriteOncePod with other access modes")
    storage = spec.get("resources").get("requests").key("storage")
    if storage.present:
        yield from above_zero_amount(storage)
    else:
        yield storage.required()
    yield from label_selector(spec.get("selector"))
    yield from spec.get("volumeMode").one_of_given("Block", "Filesystem")
    for name in ("storageClassName", "volumeAttributesClassName"):
        if spec.get(name).text:
            yield from spec.get(name).each(dns_subdomain(spec.get(name).text))
    yield from _data_sources(spec)


def _data_sources(spec: Field) -> Iterator[Violation]:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for field in (source, reference):
        if field.present:
            yield from _data_source(field)
    if reference.get("namespace").text:
        yield from reference.get("namespace").each(dns_label(reference.get("namespace").text))
        if source.present:
            yield source.invalid("may not be specified when dataSourceRef.namespace is specified")
    elif source.present and reference.present and _identity(source) != _identity(reference):
        yield source.invalid("must match dataSourceRef")


def _data_source(field: Field) -> Iterator[Violation]:
    for name in ("name", "kind"):
        if not field.get(name).text:
            yield field.get(name).required()
    group = field.get("apiGroup")
    if not group.text and field.get("kind").text != "PersistentVolumeClaim":
        yield field.invalid("must be 'PersistentVolumeClaim' when referencing the default apiGroup")
    elif group.text:
        yield from group.each(dns_subdomain(group.text))


def _identity(field: Field) -> tuple[object, str, str]:
    return field.get("apiGroup").value, field.get("kind").text, field.get("name").text
