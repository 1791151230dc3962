"""The webhook's settings, parsed from the command line."""

import argparse
from collections.abc import Sequence
from typing import Final

import msgspec

from shared.names import DEFAULT_SCHEDULER
from shared.resource_steps.allowed import AllowedKind, InvalidKinds, parse_kinds

LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class InvalidSettings(ValueError):
    """Settings that contradict each other. The text names the flags."""


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process. Ports: 0 means any free port. Seconds are floats.

    `drain_seconds`: how long the process keeps serving after SIGTERM, until its address is removed from the Service.
    `shutdown_seconds`: how long it then waits for requests that are being answered.
    """

    host: str = ""
    port: int = 8443
    health_port: int = 8081
    kubeconfig: str = ""
    context: str = ""
    log_level: str = "info"
    scheduler_names: tuple[str, ...] = (DEFAULT_SCHEDULER,)
    volcano_crds: bool = False
    disabled_plugins: tuple[str, ...] = ()
    in_process_policies: bool = False
    in_process_rules: bool = False
    resource_kinds: tuple[AllowedKind, ...] = ()
    controller_user: str = ""
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
    """Parse settings from arguments. Raises InvalidSettings. argparse exits the process on unknown flags."""
    given = vars(_parser().parse_args(argv))
    settings = WebhookSettings(**{name: value for name, value in given.items() if value is not None})
    if bool(settings.tls_cert_file) != bool(settings.tls_private_key_file):
        raise InvalidSettings("--tls-cert-file and --tls-private-key-file must be set together")
    if bool(settings.tls_cert_file) == bool(settings.cert_secret):
        raise InvalidSettings("set either --tls-cert-file and --tls-private-key-file, or --cert-secret")
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}", description="Answers the API server's admission reviews."
    )
    parser.add_argument("--host", help="address to listen on (default: all addresses)")
    parser.add_argument("--port", type=int, help="HTTPS port (default 8443; 0: any free port, which is logged)")
    parser.add_argument(
        "--health-port", type=int, help="plain HTTP port of /healthz, /readyz and /metrics (default 8081)"
    )
    parser.add_argument("--kubeconfig", help="default: $KUBECONFIG, the Pod's service account, ~/.kube/config")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument("--log-level", choices=LOG_LEVELS)
    parser.add_argument(
        "--scheduler-names", type=_words, help="comma-separated names; the first is the default of schedulerName"
    )
    parser.add_argument(
        "--volcano-crds",
        action="store_true",
        default=None,
        help="the installed CRDs are Volcano's, which default spec.queue to `default`: policies treat that as unset",
    )
    parser.add_argument(
        "--disabled-plugins", type=_words, help="comma-separated Job plugins that are refused, e.g. ssh"
    )
    parser.add_argument(
        "--in-process-policies",
        action="store_true",
        default=None,
        help="the API server enforces JobFlowPolicies too: refuse their violations before it does, with complete messages",
    )
    parser.add_argument("--in-process-rules", action="store_true", default=None, help="the same for their CEL rules")
    parser.add_argument(
        "--resource-kinds",
        type=_kinds,
        help="kinds that steps with `resource` may create: a JSON list of {apiVersion, kind, resource, namespaceSelector}",
    )
    parser.add_argument(
        "--controller-user",
        help="name of the controller in requests: its objects get no claim to create kinds, policies never refuse its deletions",
    )
    parser.add_argument("--tls-cert-file", help="serving certificate (PEM); reloaded when the file changes")
    parser.add_argument("--tls-private-key-file", help="private key of the serving certificate (PEM)")
    parser.add_argument(
        "--tls-ca-file", help="CA bundle that the webhook configurations contain; checked for readiness"
    )
    parser.add_argument("--cert-secret", help="Secret that stores the self-issued CA and certificate")
    parser.add_argument("--service-name", help="Service that the certificate is issued for")
    parser.add_argument("--namespace", help="namespace of the Service and the Secret")
    parser.add_argument(
        "--webhook-configuration",
        type=_words,
        help="comma-separated names of webhook configurations: with --cert-secret the CA is injected into them, "
        "else they must contain it before the process is ready",
    )
    parser.add_argument("--drain-seconds", type=float, help="seconds to keep serving after SIGTERM (default 5)")
    parser.add_argument(
        "--shutdown-seconds", type=float, help="seconds to wait afterwards for running requests (default 20)"
    )
    return parser


def _kinds(text: str) -> tuple[AllowedKind, ...]:
    try:
        return parse_kinds(text)
    except InvalidKinds as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _words(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if not words:
        raise argparse.ArgumentTypeError("give at least one name")
    return words
