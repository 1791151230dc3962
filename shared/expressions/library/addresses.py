"""IP addresses and CIDR blocks, with the results of Kubernetes' CEL library (Go's net/netip).

An address or block is its canonical text. IPv4-mapped addresses, zones and leading zeros are refused, as in Kubernetes.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_interface

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def address(text: str) -> Address:
    """Raises ValueError."""
    found = ip_address(text)
    if "%" in text:
        raise ValueError(f"IP address {text!r} with a zone is not allowed")
    if isinstance(found, IPv6Address) and (found.ipv4_mapped is not None or _has_dots(text)):
        raise ValueError(f"IPv4-mapped IPv6 address {text!r} is not allowed")
    return found


def block(text: str) -> tuple[Address, Network]:
    """The address and the network of a CIDR block. Raises ValueError."""
    start, slash, length = text.partition("/")
    if not slash or not (length.isascii() and length.isdecimal()) or (length != "0" and length.startswith("0")):
        raise ValueError(f"{text!r} is not a CIDR block such as 192.0.2.0/24")
    address(start)
    found = ip_interface(text)
    return found.ip, found.network


def is_address(text: str) -> bool:
    try:
        address(text)
    except ValueError:
        return False
    return True


def is_block(text: str) -> bool:
    try:
        block(text)
    except ValueError:
        return False
    return True


def block_text(text: str) -> str:
    start, network = block(text)
    return f"{start}/{network.prefixlen}"


def is_global_unicast(found: Address) -> bool:
    """As netip.Addr.IsGlobalUnicast: private addresses count, the broadcast address does not."""
    special = found.is_unspecified or found.is_loopback or found.is_multicast or found.is_link_local
    return not special and found != IPv4Address("255.255.255.255")


def is_link_local_multicast(found: Address) -> bool:
    if isinstance(found, IPv4Address):
        return found in IPv4Network("224.0.0.0/24")
    return found.is_multicast and int(found) >> 112 & 0x0F == 0x02


def contains_block(outer: str, inner: str) -> bool:
    _, network = block(outer)
    start, other = block(inner)
    return start.version == network.version and start in network and other.prefixlen >= network.prefixlen


def contains_address(outer: str, text: str) -> bool:
    found = address(text)
    _, network = block(outer)
    return found.version == network.version and found in network


def _has_dots(text: str) -> bool:
    return "." in text
