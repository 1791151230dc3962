"""`ports` of containers, and conflicts between host ports."""

from collections.abc import Iterable, Iterator

from shared.podtemplate.field import Field
from shared.podtemplate.formats import port_name, port_number
from shared.violation import Violation


def ports(field: Field) -> Iterator[Violation]:
    names: set[str] = set()
    for port in field.items:
        name, number, host = port.get("name"), port.get("containerPort"), port.get("hostPort")
        if name.text:
            faults = list(port_name(name.text))
            yield from name.each(faults)
            if name.text in names:
                yield name.duplicate()
            names.add(name.text)
        if not number.present or number.number == 0:
            yield number.required()
        elif number.number is not None:
            yield from number.each(port_number(number.number))
        if host.number:
            yield from host.each(port_number(host.number))
        yield from port.get("protocol").one_of("SCTP", "TCP", "UDP")


def host_ports(containers: Iterable[Field]) -> Iterator[Violation]:
    """Containers that run together must not use the same port of the node."""
    taken: set[str] = set()
    for container in containers:
        for port in container.get("ports").items:
            host = port.get("hostPort")
            if not host.number:
                continue
            key = f"{port.get('protocol').text or 'TCP'}/{port.get('hostIP').text}/{host.number}"
            if key in taken:
                yield host.duplicate(key)
            taken.add(key)


def host_network_ports(containers: Iterable[Field]) -> Iterator[Violation]:
    """With hostNetwork, a container port is also the host port."""
    for container in containers:
        for port in container.get("ports").items:
            host = port.get("hostPort")
            if host.number and host.number != port.get("containerPort").number:
                yield host.invalid("must match `containerPort` when `hostNetwork` is true")


def port_reference(field: Field) -> Iterator[Violation]:
    """A port in a handler, by number or by name."""
    if field.number is not None:
        yield from field.each(port_number(field.number))
    elif isinstance(field.value, str):
        yield from field.each(port_name(field.text))
