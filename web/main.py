"""The process in a cluster: arguments, TLS, the server until SIGTERM."""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from certs.issue import issue_serving, new_authority
from shared.kube import logs
from shared.kube.client import connect
from web.app import build_app
from web.arguments import ServerArguments, WrongArguments, parse
from web.cluster.caller import Callers
from web.serving import serving
from web.settings import WebSettings
from webhook.server.tls import BadCertificate, CertificateFiles, ServingCertificate

LOG: Final = logging.getLogger(__name__)
RELOAD_SECONDS: Final = 30.0


def main(argv: Sequence[str] | None = None) -> int:
    try:
        arguments = parse(argv)
    except WrongArguments as error:
        print(f"web: {error}", file=sys.stderr)
        return 2
    logs.configure(arguments.log_level)
    try:
        asyncio.run(_run(arguments))
    except (OSError, BadCertificate) as error:
        LOG.error("cannot serve", extra={"error": str(error)})
        return 1
    return 0


async def _run(arguments: ServerArguments) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    callers = Callers(connect.plain(arguments.api_server, ca_file=arguments.api_ca_file or None))
    web, used = arguments.web, certificate(arguments.web)
    tls = used.context if used else None
    renewing = asyncio.create_task(_take_renewed(web, used))
    try:
        async with serving(lambda port: build_app(web, callers, port=port), web.host, web.port, tls) as port:
            LOG.info("serving", extra={"port": port, "tls": tls is not None, "signIn": web.sign_in.value})
            await ended.wait()
    finally:
        renewing.cancel()
        await callers.close()


def certificate(settings: WebSettings) -> ServingCertificate | None:
    """That of the files, or a self-signed one where there are none: a process without rights cannot keep one. None: the
    pages are served without TLS. Raises BadCertificate."""
    if settings.plain_http:
        return None
    serving_certificate = ServingCertificate()
    if settings.tls_cert_file:
        serving_certificate.use(*_files(settings).read())
    else:
        now = datetime.now(UTC)  # noqa: TID251 - main.py may
        names = tuple(host for host in settings.allowed_hosts if not host.startswith("["))
        pair = issue_serving(new_authority("jobflow-web", now), names, now)
        serving_certificate.use(pair.certificate, pair.key)
    return serving_certificate


async def _take_renewed(settings: WebSettings, used: ServingCertificate | None) -> None:
    """A renewed certificate serves the next connections; one that cannot be used is left alone."""
    while used is not None and settings.tls_cert_file:
        await asyncio.sleep(RELOAD_SECONDS)
        try:
            used.use(*_files(settings).read())
        except BadCertificate as error:
            LOG.warning("the certificate cannot be used", extra={"error": str(error)})


def _files(settings: WebSettings) -> CertificateFiles:
    return CertificateFiles(settings.tls_cert_file, settings.tls_private_key_file)
