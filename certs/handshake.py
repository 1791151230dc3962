"""A TLS handshake in memory: whether a client that trusts a CA bundle accepts a server's certificate."""

import ssl

_ROUNDS = 8  # maximum number of message exchanges; TLS needs two


def trust_error(server: ssl.SSLContext, bundle: bytes, name: str) -> str:
    """Why a client that connects to the DNS name `name` would not trust `server`; '' if it would.

    `bundle`: CAs that the client trusts (PEM); if empty, the system's CAs, as in the API server. OpenSSL checks chain,
    name and dates with the machine's clock.
    """
    try:
        client = _client(bundle)
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        asking = client.wrap_bio(to_client, to_server, server_hostname=name)
        answering = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(_ROUNDS):
            if all([_finished(asking), _finished(answering)]):
                return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except (ssl.SSLError, ValueError) as error:
        return str(error)
    return "the TLS handshake did not complete"


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
