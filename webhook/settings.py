"""What the operator chose, from the command line."""

import argparse
from collections.abc import Sequence
from typing import Final

import msgspec

from shared.names import DEFAULT_SCHEDULER

LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class InvalidSettings(ValueError):
    """The settings contradict each other; the text says how."""


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`drain_seconds`: how long a stopping process still serves, so that its address can leave the Service."""

    host: str = ""
    port: int = 8443
    health_port: int = 8081
    kubeconfig: str = ""
    context: str = ""
    log_level: str = "info"
    scheduler_names: tuple[str, ...] = (DEFAULT_SCHEDULER,)
    volcano_crds: bool = False
    tls_cert_file: str = ""
    tls_private_key_file: str = ""
    tls_ca_file: str = ""
    cert_secret: str = ""
    service_name: str = "jobflow-webhook"
    namespace: str = "jobflow-system"
    webhook_configuration: tuple[str, ...] = ()
    drain_seconds: float = 5.0
    shutdown_seconds: float = 20.0


def parse(argv: Sequence[str] | None = None) -> WebhookSettings:
    """Settings from arguments. Raises BadSettings; argparse itself ends the process on unknown or malformed ones."""
    given = vars(_parser().parse_args(argv))
    settings = WebhookSettings(**{name: value for name, value in given.items() if value is not None})
    if bool(settings.tls_cert_file) != bool(settings.tls_private_key_file):
        raise InvalidSettings("--tls-cert-file and --tls-private-key-file go together")
    if bool(settings.tls_cert_file) == bool(settings.cert_secret):
        raise InvalidSettings("set either --tls-cert-file and --tls-private-key-file, or --cert-secret")
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m webhook", description="Answers the API server's admission reviews."
    )
    parser.add_argument("--host", help="address to listen on; default: every one")
    parser.add_argument("--port", type=int, help="HTTPS port (8443); 0: any free one, logged")
    parser.add_argument("--health-port", type=int, help="plain port of /healthz, /readyz and /metrics (8081)")
    parser.add_argument("--kubeconfig", help="default: $KUBECONFIG, the Pod's service account, ~/.kube/config")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument("--log-level", choices=LOG_LEVELS)
    parser.add_argument("--scheduler-names", type=_words, help="comma-separated; the first is schedulerName's default")
    parser.add_argument(
        "--volcano-crds",
        action="store_true",
        default=None,
        help="the CRDs are Volcano's, which write `queue: default`: policies take that for absent",
    )
    parser.add_argument("--tls-cert-file", help="serving certificate (PEM); loaded again when it changes")
    parser.add_argument("--tls-private-key-file", help="its key (PEM)")
    parser.add_argument("--tls-ca-file", help="CA bundle that the webhook configurations hold; checked for readiness")
    parser.add_argument("--cert-secret", help="Secret to keep a self-issued CA and certificate in")
    parser.add_argument("--service-name", help="Service whose name the certificate bears")
    parser.add_argument("--namespace", help="namespace of the Service and the Secret")
    parser.add_argument(
        "--webhook-configuration",
        type=_words,
        help="configurations that get the CA (with --cert-secret) or must hold it before we are ready; comma-separated",
    )
    parser.add_argument("--drain-seconds", type=float, help="serve on for so long after SIGTERM (5)")
    parser.add_argument("--shutdown-seconds", type=float, help="then wait at most so long for requests in hand (20)")
    return parser


def _words(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if not words:
        raise argparse.ArgumentTypeError("name at least one")
    return words
