"""Whether a client that trusts a bundle would believe who serves a certificate: a TLS handshake in memory."""

import ssl

_ROUNDS = 8  # messages back and forth; TLS needs two of each side


def trust_error(server: ssl.SSLContext, bundle: bytes, name: str) -> str:
    """Why a client that asks for the DNS name `name` would not believe `server`; '' when it would.

    `bundle`: PEM of the CAs that the client trusts; empty: the system's, as the API server takes them. Chains, names and
    dates are judged as in a connection, by the machine's clock.
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
    return "the handshake does not end"


def _client(bundle: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if bundle:
        context.load_verify_locations(cadata=bundle.decode("ascii"))
    else:
        context.load_default_certs()
    return context


def _finished(side: ssl.SSLObject) -> bool:
    """Whether this side has finished."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
