"""What a server process does before it imports its modules, so that it starts sooner and needs less memory."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_AUTHORITIES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where OpenSSL finds the certificate authorities of the system."""
_LEAN: Final = dict.fromkeys(_AUTHORITIES, os.devnull) | {"FROZENLIST_NO_EXTENSIONS": "1"}
"""The environment while aiohttp is imported."""


def prepare_imports() -> None:
    """Import aiohttp and let the garbage of imports lie.

    At import aiohttp loads all certificate authorities of the system, for requests without TLS settings of their own. That
    takes 2 MiB and 40 ms of CPU time. Our servers send no such requests: the API client has the settings of its cluster, and
    probes have no TLS. A request without settings would fail, because it trusts no authority. The compiled frozenlist, which
    holds lists of a few callbacks, would load the C++ library: 1 MiB.
    """
    gc.set_threshold(50_000, 20, 100)  # imports make many objects and little garbage
    if "aiohttp" not in sys.modules:
        with _lean_environment():
            import aiohttp  # noqa: F401 - for its place in sys.modules


@contextmanager
def _lean_environment() -> Iterator[None]:
    before = {name: os.environ[name] for name in _LEAN if name in os.environ}
    os.environ.update(_LEAN)
    try:
        yield
    finally:
        for name in _LEAN:
            del os.environ[name]
        os.environ.update(before)
