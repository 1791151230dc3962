"""Which Host and Origin headers are accepted. Pure.

Without the check of Host a foreign page could read this server by DNS rebinding: its own name, pointed at our address.
Without the check of Origin a foreign page could post forms with the reader's cookie.
"""

from collections.abc import Collection

from web.settings import LOOPBACK


def host_allowed(host: str, allowed: Collection[str]) -> bool:
    """`host`: the Host header, with or without a port."""
    return bool(host) and _name(host) in allowed


def origin_allowed(origin: str, host: str, *, laptop: bool) -> bool:
    """Whether a write with this Origin header comes from one of our own pages, which were served under `host`.

    In the cluster pages are served by TLS, if not by this server then by the proxy in front of it; only a forwarded port
    of this machine may do without.
    """
    if laptop:
        return origin == f"http://{host}"
    return origin == f"https://{host}" or (_name(host) in LOOPBACK and origin == f"http://{host}")


def _name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()
