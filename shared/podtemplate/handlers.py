"""Probes and lifecycle hooks: exactly one handler, and valid numbers."""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import header_name, not_negative, positive
from shared.podtemplate.ports import port_reference
from shared.violation import Violation

PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "sleep")
_NUMBERS: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_DEFAULT_GRACE: Final = 30


def probes(container: Field) -> Iterator[Violation]:
    for name in PROBES:
        probe = container.get(name)
        if probe.present:
            yield from _probe(probe, name)


def lifecycle(container: Field, grace: int | None) -> Iterator[Violation]:
    """`grace`: the pod's terminationGracePeriodSeconds, which limits a sleep."""
    hooks = container.get("lifecycle")
    if not hooks.present:
        return
    for name in ("postStart", "preStop"):
        if hooks.get(name).present:
            yield from _handler(hooks.get(name), _HOOK_HANDLERS)
            seconds = hooks.get(name).get("sleep").get("seconds").number
            most = _DEFAULT_GRACE if grace is None else grace
            if seconds is not None and not 0 <= seconds <= most:
                message = f"must be non-negative and less than terminationGracePeriodSeconds ({most})"
                yield Violation(hooks.get(name).get("sleep").path, message, seconds)


def _probe(probe: Field, kind: str) -> Iterator[Violation]:
    yield from _handler(probe, _PROBE_HANDLERS)
    for name in _NUMBERS:
        number = probe.get(name)
        yield from number.each(not_negative(number.number or 0))
    success, grace = probe.get("successThreshold"), probe.get("terminationGracePeriodSeconds")
    # Kubernetes cannot distinguish zero from absent and defaults it to 1.
    if kind != "readinessProbe" and (success.number or 1) != 1:
        yield success.invalid("must be 1")
    if kind == "readinessProbe" and grace.present:
        yield grace.invalid("must not be set for readinessProbes")
    elif grace.number is not None:
        yield from grace.each(positive(grace.number))


def _handler(field: Field, kinds: tuple[str, ...]) -> Iterator[Violation]:
    given = [field.get(kind) for kind in kinds if field.get(kind).present]
    if not given:
        yield field.required("must specify a handler type")
        return
    yield from (extra.forbidden("may not specify more than 1 handler type") for extra in given[1:])
    first = given[0]
    if first.path.endswith(".exec") and not first.get("command").holds:
        yield first.get("command").required()
    elif first.path.endswith(".httpGet"):
        yield from _http(first)
    elif first.path.endswith(".tcpSocket") or first.path.endswith(".grpc"):
        yield from port_reference(first.get("port"))


def _http(field: Field) -> Iterator[Violation]:
    yield from port_reference(field.get("port"))
    yield from field.get("scheme").one_of("HTTP", "HTTPS")
    for header in field.get("httpHeaders").items:
        yield from header.get("name").each(header_name(header.get("name").text))
