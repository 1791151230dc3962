"""The certificates of a local cluster satisfy clients that check strictly, as Python does from 3.13 on."""

import socket
import ssl
import threading
from pathlib import Path

from local.pki import CertificateAuthority


def test_a_strict_client_accepts_the_serving_certificate(tmp_path: Path) -> None:
    authority = CertificateAuthority()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*authority.serving().write(tmp_path, "serving"))
    client = ssl.create_default_context(cadata=authority.pem.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()
    answering = threading.Thread(target=lambda: serving.wrap_socket(far, server_side=True).close())
    answering.start()
    with client.wrap_socket(near, server_hostname="localhost") as stream:
        assert stream.version() == "TLSv1.3"
    answering.join()
