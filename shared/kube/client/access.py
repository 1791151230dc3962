"""The address of the API server and the client's credentials, which are refreshed while they are in use."""

import contextlib
import copy
import os
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    import asyncio

REFRESH_SECONDS: Final = 60.0  # client-go's interval for reading token files again


class Credentials(msgspec.Struct, frozen=True):
    """The API server's address and the client's identity. '' for none.

    `authorization`: the header's value; `..._file`: paths; `..._data`: PEM texts, which are used instead of files.
    """

    host: str
    authorization: str = ""
    ca_file: str | None = None
    ca_data: str = ""
    cert_file: str = ""
    cert_data: str = ""
    key_file: str = ""
    key_data: str = ""
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None


Refresh = Callable[[bool], Awaitable[Credentials]]
"""Loads the credentials again. True: those in use were refused; False: the refresh interval has passed."""


class Access:
    """An API server's address, TLS settings and credentials. `authorization()` is cheap: it reads files once a minute."""

    def __init__(self, credentials: Credentials, refresh: Refresh | None = None) -> None:
        self._credentials = credentials
        self._refresh = refresh
        self._refreshed = time.monotonic()
        self._lock: asyncio.Lock | None = None
        self.host = credentials.host.rstrip("/")
        self.server_name = credentials.server_name
        self.proxy = credentials.proxy
        self.tls = _context(credentials) if self.host.startswith("https") else None

    def bearing(self, authorization: str) -> "Access":
        """The same API server with this Authorization header instead of the credentials."""
        other = copy.copy(self)
        other._credentials = msgspec.structs.replace(
            self._credentials, authorization=authorization, cert_file="", cert_data="", key_file="", key_data=""
        )
        other._refresh = None
        return other

    async def authorization(self, *, renew: bool = False) -> str:
        """The Authorization header's value or ''. `renew`: the last one was refused, so load it again."""
        if self._refresh is not None and (renew or time.monotonic() - self._refreshed > REFRESH_SECONDS):
            import asyncio  # short commands have no event loop, and start sooner without it

            self._lock = self._lock or asyncio.Lock()
            async with self._lock:
                self._refreshed = time.monotonic()
                self._take(await self._refresh(renew))
        return self._credentials.authorization

    def _take(self, fresh: Credentials) -> None:
        old, self._credentials = self._credentials, fresh
        if self.tls is not None and (fresh.cert_file, fresh.cert_data) != (old.cert_file, old.cert_data):
            _load_certificate(self.tls, fresh)  # used by the next handshakes


def _context(credentials: Credentials) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=credentials.ca_file, cadata=credentials.ca_data or None)
    context.verify_flags &= (
        ~ssl.VERIFY_X509_STRICT
    )  # cluster CAs often lack extensions that Python >= 3.13 requires and Go does not
    _load_certificate(context, credentials)
    if not credentials.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_certificate(context: ssl.SSLContext, credentials: Credentials) -> None:
    """Python's ssl module takes files only, so texts are in files while they are loaded."""
    if not (credentials.cert_file or credentials.cert_data):
        return
    with (
        _file(credentials.cert_file, credentials.cert_data) as certificate,
        _file(credentials.key_file, credentials.key_data) as key,
    ):
        context.load_cert_chain(certificate, key or None)


@contextlib.contextmanager
def _file(path: str, text: str) -> Iterator[str]:
    """The path of a file with the text, or `path` if there is no text. On Linux the text stays in memory, unless Python was
    built for a glibc without memfd_create."""
    if not text:
        yield path
    elif sys.platform == "linux" and hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("jobflow")
        try:
            os.write(descriptor, text.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="jobflow-") as folder:
            Path(folder, "text").write_text(text)
            yield str(Path(folder, "text"))
