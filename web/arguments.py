"""The arguments of the server in a cluster."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from web.settings import LOOPBACK, SignIn, WebSettings

LOG_LEVELS: Final = ("debug", "info", "warning", "error")
_BASE_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")


class WrongArguments(ValueError):
    """Arguments that contradict each other. The text names the flags."""


class ServerArguments(msgspec.Struct, frozen=True):
    """`api_server`: its URL; `api_ca_file`: PEM, '' for the authorities of the system."""

    web: WebSettings
    api_server: str
    api_ca_file: str
    log_level: str


def parse(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> ServerArguments:
    """Raises WrongArguments. argparse exits the process on unknown flags."""
    given = _parser().parse_args(argv)
    if bool(given.tls_cert_file) != bool(given.tls_private_key_file):
        raise WrongArguments("--tls-cert-file and --tls-private-key-file must be set together")
    if given.plain_http and given.tls_cert_file:
        raise WrongArguments("--plain-http serves without TLS: remove --tls-cert-file and --tls-private-key-file")
    base_path = given.base_path.rstrip("/")
    if not _BASE_PATH.fullmatch(base_path) or "/.." in base_path or "/./" in f"{base_path}/":
        raise WrongArguments(f"--base-path {given.base_path!r}: must be a path such as /jobflow")
    settings = WebSettings(
        sign_in=SignIn(given.sign_in),
        host=given.host,
        port=given.port,
        base_path=base_path,
        allowed_hosts=(*LOOPBACK, *(host.strip().lower() for host in given.allowed_hosts.split(",") if host.strip())),
        read_only=given.read_only,
        tls_cert_file=given.tls_cert_file,
        tls_private_key_file=given.tls_private_key_file,
        plain_http=given.plain_http,
        namespace=given.namespace,
    )
    address = given.api_server or _in_cluster(environ)
    if not address.startswith("https://"):
        raise WrongArguments(f"--api-server {address!r}: must be an https:// URL, because requests carry tokens")
    return ServerArguments(settings, address, given.api_ca_file, given.log_level)


def _in_cluster(environ: Mapping[str, str]) -> str:
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise WrongArguments("set --api-server: this is no Pod, so there is no $KUBERNETES_SERVICE_HOST")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="Serves the web pages in a cluster. It has no rights of its own: every request to the API server "
        "carries the token of whoever is signed in.",
    )
    add = parser.add_argument
    ways = (SignIn.TOKEN.value, SignIn.PROXY.value)
    add("--sign-in", choices=ways, default=ways[0], help="token: people paste one; proxy: an auth proxy sends it")
    add("--host", default="", help="address to listen on; default: all addresses")
    add("--port", type=int, default=8443, help="default: 8443")
    add("--base-path", default="", help="path below which the pages are served, such as /jobflow")
    add("--allowed-hosts", default="", help="comma-separated names by which people reach the pages, without ports")
    add("--read-only", action="store_true", help="no buttons, and no form is accepted")
    add("--namespace", default="", help="the namespace that lists show first; default: all")
    add("--tls-cert-file", default="", help="serving certificate (PEM); default: a self-signed one, new at each start")
    add("--tls-private-key-file", default="", help="its key (PEM)")
    add("--plain-http", action="store_true", help="serve without TLS, behind a proxy that ends it")
    add("--api-server", default="", help="URL of the API server; default: that of the Pod's cluster")
    add("--api-ca-file", default="", help="certificate authority of the API server (PEM)")
    add("--log-level", choices=LOG_LEVELS, default="info")
    return parser
