"""A TLS handshake in memory: whether a client that trusts a CA bundle accepts a server's certificate, and when that expires."""

import ssl
from datetime import UTC, datetime

_ROUNDS = 8  # maximum number of message exchanges; TLS needs two


def trust_error(server: ssl.SSLContext, bundle: bytes, name: str) -> str:
    """Why a client that connects to the DNS name `name` would not trust `server`; '' if it would.

    `bundle`: CAs that the client trusts (PEM); if empty, the system's CAs, as in the API server. OpenSSL checks chain,
    name and dates with the machine's clock.
    """
    try:
        _shake_hands(_client(bundle), server, name)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except (ssl.SSLError, ValueError) as error:
        return str(error)
    return ""


def expiry(server: ssl.SSLContext, certificate: bytes) -> datetime | None:
    """When the certificate of `server` expires, as a client reads it that trusts exactly this certificate (PEM).

    None if no client would accept it, for example because it has expired. The cryptography library tells this too, but
    takes 8 MiB of memory.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        client.load_verify_locations(cadata=certificate.decode("ascii"))
        shown = _shake_hands(client, server, None).getpeercert() or {}
    except (ssl.SSLError, ValueError):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None) -> ssl.SSLObject:
    """The client's side after the handshake. Raises ssl.SSLError or ValueError if it fails."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=name)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_ROUNDS):
        if all([_finished(asking), _finished(answering)]):
            return asking
    raise ValueError("the TLS handshake did not complete")


def _client(bundle: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if bundle:
        context.load_verify_locations(cadata=bundle.decode("ascii"))
    else:
        context.load_default_certs()
    return context


def _finished(side: ssl.SSLObject) -> bool:
    """Continue the handshake of one side; True once it is complete."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
