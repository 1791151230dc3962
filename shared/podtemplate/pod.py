"""Fields of the pod as a whole."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from shared.podtemplate.amounts import pod_resources, resources
from shared.podtemplate.field import Field
from shared.podtemplate.formats import deadline, dns_label, dns_subdomain, qualified_name, search_domain
from shared.podtemplate.security import pod_security
from shared.violation import Violation

_CHOICES: Final = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
    "preemptionPolicy": ("PreemptLowerPriority", "Never"),
}
_FORMATS: Final = {
    "hostname": dns_label,
    "subdomain": dns_label,
    "serviceAccountName": dns_subdomain,
    "nodeName": dns_subdomain,
    "priorityClassName": dns_subdomain,
    "runtimeClassName": dns_subdomain,
}
_MOST_NAMESERVERS: Final = 3
_ZEROS: Final = re.compile(r"\b0+(?=\d)")


def pod_fields(spec: Field) -> Iterator[Violation]:
    for name, choices in _CHOICES.items():
        yield from spec.get(name).one_of(*choices)
    for name, form in _FORMATS.items():
        if spec.get(name).text:
            yield from spec.get(name).each(form(spec.get(name).text))
    seconds = spec.get("activeDeadlineSeconds")
    if seconds.number is not None:
        yield from seconds.each(deadline(seconds.number))
    yield from pod_security(spec.get("securityContext"))
    yield from pod_resources(spec.get("resources"))
    overhead = spec.get("overhead")
    yield from resources(Field(overhead.path, {"limits": overhead.value}))
    for gate in spec.get("readinessGates").items:
        kind = gate.get("conditionType")
        yield from kind.each(qualified_name(kind.text))
    for alias in spec.get("hostAliases").items:
        yield from _address(alias.get("ip"))
        for host in alias.get("hostnames").items:
            yield from host.each(dns_subdomain(host.text))
    yield from _dns(spec)
    yield from Field(spec.get("os").path, spec.get("os").get("name").value).one_of("linux", "windows")


def _dns(spec: Field) -> Iterator[Violation]:
    config, servers = spec.get("dnsConfig"), spec.get("dnsConfig").get("nameservers")
    if spec.get("dnsPolicy").text == "None" and not config.present:
        yield config.required("must provide `dnsConfig` when `dnsPolicy` is None")
    elif spec.get("dnsPolicy").text == "None" and not servers.holds:
        yield servers.required("must provide at least one DNS nameserver when `dnsPolicy` is None")
    if len(list(servers.items)) > _MOST_NAMESERVERS:
        yield servers.invalid(f"must not have more than {_MOST_NAMESERVERS} nameservers")
    for server in servers.items:
        yield from _address(server)
    for domain in config.get("searches").items:
        yield from domain.each(search_domain(domain.text))
    for option in config.get("options").items:
        if not option.get("name").text:
            yield option.get("name").required("must not be empty")


def _address(field: Field) -> Iterator[Violation]:
    # Kubernetes accepts leading zeros in this field, for compatibility with old objects.
    text = field.text if ":" in field.text else _ZEROS.sub("", field.text)
    try:
        ip_address(text)
    except ValueError:
        yield field.invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
