"""Fields of the pod as a whole."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import deadline, dns_label, dns_subdomain, qualified_name, search_domain
from shared.podtemplate.resources.amounts import resources
from shared.podtemplate.resources.claims import resource_claims
from shared.podtemplate.resources.pod_amounts import pod_resources
from shared.podtemplate.security import host_namespaces, operating_system, pod_security
from shared.violation import Violation

_CHOICES: Final = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
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
_MOST_SEARCHES: Final = 32
_LONGEST_SEARCHES: Final = 2048


def pod_fields(spec: Field) -> Iterator[Violation]:
    for name, choices in _CHOICES.items():
        yield from spec.get(name).one_of(*choices)
    for name, form in _FORMATS.items():
        if spec.get(name).text:
            yield from spec.get(name).each(form(spec.get(name).text))
    seconds = spec.get("activeDeadlineSeconds")
    if seconds.number is not None:
        yield from seconds.each(deadline(seconds.number))
    yield from spec.get("preemptionPolicy").one_of_given("PreemptLowerPriority", "Never")
    all_containers = [*spec.get("containers").items, *spec.get("initContainers").items]
    yield from pod_security(spec)
    yield from host_namespaces(spec, all_containers)
    yield from operating_system(spec, all_containers)
    yield from resource_claims(spec.get("resourceClaims"))
    if spec.get("os").get("name").text != "windows":
        yield from pod_resources(spec)
    overhead = spec.get("overhead")
    if overhead.present:
        yield from resources(Field(overhead.path, {"limits": overhead.value}))
    for gate in spec.get("readinessGates").items:
        kind = gate.get("conditionType")
        yield from kind.each(qualified_name(kind.text))
    for alias in spec.get("hostAliases").items:
        yield from _address(alias.get("ip"))
        for host in alias.get("hostnames").items:
            yield from host.each(dns_subdomain(host.text))
    yield from _dns(spec)


def _dns(spec: Field) -> Iterator[Violation]:
    config, servers = spec.get("dnsConfig"), spec.get("dnsConfig").get("nameservers")
    if spec.get("dnsPolicy").text == "None" and not config.present:
        yield config.required("must provide `dnsConfig` when `dnsPolicy` is None")
    elif spec.get("dnsPolicy").text == "None" and not servers.holds:
        yield servers.required("must provide at least one DNS nameserver when `dnsPolicy` is None")
    if not config.present:
        return
    if len(list(servers.items)) > _MOST_NAMESERVERS:
        yield servers.invalid(f"must not have more than {_MOST_NAMESERVERS} nameservers")
    for server in servers.items:
        yield from _address(server)
    searches = config.get("searches")
    if len(list(searches.items)) > _MOST_SEARCHES:
        yield searches.invalid(f"must not have more than {_MOST_SEARCHES} search paths")
    if len(" ".join(domain.text for domain in searches.items)) > _LONGEST_SEARCHES:
        yield searches.invalid(
            f"must not have more than {_LONGEST_SEARCHES} characters (including spaces) in the search list"
        )
    for domain in searches.items:
        yield from domain.each(search_domain(domain.text))
    for option in config.get("options").items:
        if not option.get("name").text:
            yield option.get("name").required("must not be empty")


def _address(field: Field) -> Iterator[Violation]:
    try:
        ip_address(field.text)
    except ValueError:
        yield field.invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
