"""The webhook's process: it builds the client, caches, certificate and servers from the settings and handles signals.

Only this module knows all parts of the process and reads the wall clock.
"""

import asyncio
import gc
import logging
import resource
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final

from certs.service_names import service_names
from shared.kube import logs
from shared.kube.cache.cache import Caches
from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.transport import Transport
from shared.kube.health import Health
from shared.kube.request_metrics import RequestMetrics
from webhook import metrics
from webhook.server.certificate_sources import RegisteredBundles, TrustCheck, compare, keep_secret, watch_files
from webhook.server.handler import AdmissionHandler
from webhook.server.https import serving
from webhook.server.tls import ServingCertificate
from webhook.settings import InvalidSettings, WebhookSettings, parse
from webhook.subject.cached_lookups import CachedLookups, LiveLookup
from webhook.verdict.kind_admission import AdmissionOptions

LOG: Final = logging.getLogger(__name__)


class DrainSignal:
    """Set when the process receives a signal to stop.

    It keeps serving for `drain_seconds`, but reports that it is not ready.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> str:
        return "stopping" if self._event.is_set() else ""

    def start(self) -> None:
        self._event.set()

    async def begun(self) -> None:
        await self._event.wait()


def main(argv: Sequence[str] | None = None) -> int:
    try:
        settings = parse(argv)
    except InvalidSettings as error:
        print(f"python -m webhook: {error}", file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    _raise_file_limit()
    _calm_collector()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run(settings))
    except connect.NoCluster as error:
        LOG.error("no cluster: %s", error)
        return 1
    return 0


async def run(settings: WebhookSettings) -> None:
    """Serve until SIGTERM or SIGINT. A background task that fails ends the process with its error."""
    draining, serving_certificate, trust = DrainSignal(), ServingCertificate(), TrustCheck("not looked at yet")
    registered = TrustCheck("not looked at yet" if _compares(settings) else "")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, draining.start)
    async with AsyncExitStack() as stack:
        access = await connect.load(settings.kubeconfig, settings.context)
        api = await stack.enter_async_context(Api(Transport(access), observer=RequestMetrics()))
        caches = Caches(api)
        live = LiveLookup(api)
        handler = AdmissionHandler(
            CachedLookups(caches),
            AdmissionOptions(
                settings.scheduler_names,
                settings.volcano_crds,
                settings.disabled_plugins,
                settings.in_process_policies,
                in_process_rules=settings.in_process_rules,
                resource_kinds=settings.resource_kinds,
                controller_user=settings.controller_user,
            ),
            find=live.find,
            list_live=live.list,
            wall_clock=time.time,
        )
        health = Health(ready=_checks(caches, serving_certificate, trust, registered, draining))
        metrics.READY.set_function(lambda: float(health.is_ready))
        await stack.enter_async_context(health.serve(settings.host, settings.health_port))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        keeping = _keeping(settings, serving_certificate, trust, api)
        looking = tasks.create_task(caches.run())
        certificates = [tasks.create_task(keeping)]
        if _compares(settings):
            certificates.append(tasks.create_task(_comparing(settings, serving_certificate, registered, api)))
        listening = serving(
            handler,
            settings.host,
            settings.port,
            serving_certificate.context,
            grace=settings.shutdown_seconds,
            leaving=draining,
        )
        async with listening as port:
            LOG.info("listening", extra={"port": port, "health_port": settings.health_port})
            await draining.begun()
            LOG.info("stopping", extra={"drain_seconds": settings.drain_seconds})
            for task in certificates:
                task.cancel()  # an uninstall deletes the Secret while we drain: do not create it again
            await asyncio.sleep(settings.drain_seconds)
        looking.cancel()


def _keeping(
    settings: WebhookSettings, certificate: ServingCertificate, trust: TrustCheck, api: Api
) -> Coroutine[Any, Any, None]:
    """The task that keeps the serving certificate current: from files, or from our own Secret."""
    if settings.tls_cert_file:
        return watch_files(
            certificate, trust, settings.tls_cert_file, settings.tls_private_key_file, settings.tls_ca_file
        )
    from certs.keeper import CertificateKeeper, CertificateLocation  # with cryptography, which takes 8 MiB

    place = CertificateLocation(
        namespace=settings.namespace,
        secret=settings.cert_secret,
        names=service_names(settings.service_name, settings.namespace),
        configurations=settings.webhook_configuration,
    )
    return keep_secret(certificate, trust, CertificateKeeper(api, place, _now))


def _compares(settings: WebhookSettings) -> bool:
    """Whether the certificate is issued and its CA injected by another component (cert-manager, the operator)."""
    return bool(settings.tls_cert_file and settings.webhook_configuration)


def _comparing(
    settings: WebhookSettings, certificate: ServingCertificate, trust: TrustCheck, api: Api
) -> Coroutine[Any, Any, None]:
    name = service_names(settings.service_name, settings.namespace)[0]
    return compare(certificate, trust, RegisteredBundles(api, settings.webhook_configuration), name)


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def _checks(
    caches: Caches, certificate: ServingCertificate, trust: TrustCheck, registered: TrustCheck, draining: DrainSignal
) -> dict[str, Any]:
    return {
        "caches": lambda: ", ".join(caches.unsynced()),
        "certificate": lambda: "" if certificate.loaded else "not loaded",
        "trust": trust,
        "registered": registered,
        "draining": draining,
    }


def _raise_file_limit() -> None:
    """Raise the soft limit of open files: a container's default of 1024 is too low for a busy webhook."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 65_536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _calm_collector() -> None:
    """Exclude imported modules from garbage collection and collect less often: collections delay answers."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
