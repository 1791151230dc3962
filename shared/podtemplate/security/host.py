"""Namespaces that a pod shares with its host, and fields that exclude each other because of them."""

from collections.abc import Iterator, Sequence
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import dns_subdomain
from shared.violation import Reason, Violation

_LONGEST_HOSTNAME: Final = 64


def host_namespaces(spec: Field, containers: Sequence[Field]) -> Iterator[Violation]:
    """`containers`: the pod's regular and init containers."""
    if spec.get("shareProcessNamespace").true and spec.get("hostPID").true:
        message = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield spec.get("shareProcessNamespace").invalid(message)
    if spec.get("hostUsers").value is False:
        for name in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(name).true:
                yield spec.get(name).forbidden("when `hostUsers` is false")
        for container in containers:
            if container.get("volumeDevices").holds:
                yield container.get("volumeDevices").forbidden("when `hostUsers` is false")
    yield from _hostname_override(spec)


def _hostname_override(spec: Field) -> Iterator[Violation]:
    name = spec.get("hostnameOverride")
    if not name.present:
        return
    for other in ("setHostnameAsFQDN", "hostNetwork"):
        if spec.get(other).true:
            yield name.forbidden(f"may not be specified when {other} is true")
    if len(name.text) > _LONGEST_HOSTNAME:
        yield Violation(name.path, f"may not be more than {_LONGEST_HOSTNAME} bytes", reason=Reason.TOO_LONG)
    yield from name.each(dns_subdomain(name.text))
