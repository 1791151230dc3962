"""The settings of the web server."""

from enum import StrEnum
from typing import Final

import msgspec

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


class SignIn(StrEnum):
    """How people sign in.

    LAPTOP: by the one-time token in the first URL; requests use the kubeconfig of whoever started the server.
    TOKEN: people paste a bearer token of the cluster. PROXY: an auth proxy in front sets `Authorization: Bearer`.
    """

    LAPTOP = "laptop"
    TOKEN = "token"
    PROXY = "proxy"


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`base_path`: '' or a path such as `/jobflow`, without a slash at the end; `allowed_hosts`: names, without port,
    that the Host header may have; `namespace`: the one that lists show first, '' for all; `offline`: there is no cluster.
    """

    sign_in: SignIn
    host: str = "127.0.0.1"
    port: int = 0
    base_path: str = ""
    allowed_hosts: tuple[str, ...] = LOOPBACK
    read_only: bool = False
    tls_cert_file: str = ""
    tls_private_key_file: str = ""
    plain_http: bool = False
    namespace: str = ""
    offline: bool = False

    @property
    def laptop(self) -> bool:
        return self.sign_in is SignIn.LAPTOP
