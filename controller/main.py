"""The controller's composition root: settings, client, caches, lease, controllers, signals."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from controller.backfill import reconciler as backfill_controller
from controller.cluster.apply import Applier
from controller.cluster.errors import NotLeader
from controller.cluster.events import Recorder
from controller.cluster.lease import Lease, LeaseLost
from controller.context import ControllerContext, Part
from controller.cronjob import reconciler as cronjob_controller
from controller.cronjobflow import reconciler as cronjobflow_controller
from controller.exception import reconciler as exception_controller
from controller.flowtemplate import reconciler as flowtemplate_controller
from controller.gang_api import GangAdmission, GangBackend, NoAdmission, UngatedBackend
from controller.inprocess import reconciler as inprocess_controller
from controller.jobflow import wiring as jobflow_controller
from controller.policy import reconciler as policy_controller
from controller.runtime.manager import Manager
from controller.settings import Settings, SettingsError, parse
from controller.template import reconciler as template_controller
from shared.kube import logs
from shared.kube.cache.cache import Caches
from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.transport import Transport
from shared.kube.health import Health
from shared.kube.request_metrics import RequestMetrics

LOG: Final = logging.getLogger("controller")
COMPONENT: Final = "jobflow-controller"
STOP_SECONDS: Final = 25.0  # below a Pod's default 30 s of grace
FLUSH_SECONDS: Final = 3.0
OK, FAILED, USAGE = 0, 1, 2


def _flows(settings: Settings) -> bool:
    return settings.flow_controller


def _cron(settings: Settings) -> bool:
    return settings.cron_controller


def _cronflows(settings: Settings) -> bool:
    return settings.cron_controller and settings.flow_controller


CONTROLLERS: Final[tuple[Part, ...]] = (  # add a controller here, or in job_parts
    Part(jobflow_controller.build, _flows),
    Part(template_controller.build, _flows),
    Part(flowtemplate_controller.build, _flows),
    Part(policy_controller.build, _flows),
    Part(exception_controller.build, _flows),
    Part(inprocess_controller.build, _flows),
    Part(cronjob_controller.build, _cron),
    Part(cronjobflow_controller.build, _cronflows),
    Part(backfill_controller.build, _cronflows),
)


async def run(settings: Settings, stop: asyncio.Event) -> int:
    """Work until `stop` is set (0), or the lease is lost or a part of the process fails (1)."""
    access = await connect.load(settings.kubeconfig, settings.context)
    identity = f"{socket.gethostname()}_{uuid.uuid4()}"
    async with contextlib.AsyncExitStack() as stack:
        requests = RequestMetrics()
        transport = Transport(access, user_agent=COMPONENT)
        api = await stack.enter_async_context(Api(transport, qps=settings.qps, observer=requests))
        # The lease has a connection of its own: it must not wait behind 100 other requests.
        lease_transport = Transport(access, user_agent=f"{COMPONENT}/leader-election")
        lease_api = await stack.enter_async_context(Api(lease_transport, observer=requests))
        lease = Lease(lease_api, settings.namespace, settings.lease_name, identity, now=time.time)
        is_leader: Callable[[], bool] = lease.is_held if settings.leader_elect else _always
        api.before_write = _guard(is_leader)
        caches = Caches(api, namespaces=settings.watch_namespaces)
        answered = asyncio.Event()
        health = Health(
            ready={
                "api-server": lambda: "" if answered.is_set() else "has not answered yet",
                "caches": lambda: ", ".join(caches.unsynced()),
            }
        )
        port = await stack.enter_async_context(health.serve(settings.health_host, settings.health_port))
        settings, parts, backend, admission = await _parts(settings, api, stop)
        answered.set()
        context = _context(settings, api, caches, is_leader, backend, admission)
        manager = Manager(
            [part.build(context) for part in parts if part.enabled(settings)],
            context.caches,
            workers=settings.workers,
            scan_interval=settings.scan_interval,
        )
        LOG.info("started", extra={"identity": identity, "api_server": access.host, "health_port": port})
        return await _supervise(context, manager, lease if settings.leader_elect else None, stop)


async def _parts(
    settings: Settings, api: Api, stop: asyncio.Event
) -> tuple[Settings, Sequence[Part], GangBackend, GangAdmission]:
    """The settings as they are for this cluster, the parts of the process, and what starts gangs."""
    if not settings.job_controller:
        return settings, CONTROLLERS, UngatedBackend(), NoAdmission()
    from controller import job_parts  # only here, because it takes 3 MiB

    settings, backend, admission = await job_parts.gang(settings, api, stop)
    return settings, (*CONTROLLERS, *job_parts.CONTROLLERS), backend, admission


def _context(
    settings: Settings,
    api: Api,
    caches: Caches,
    is_leader: Callable[[], bool],
    backend: GangBackend,
    admission: GangAdmission,
) -> ControllerContext:
    recorder = Recorder(api, COMPONENT, socket.gethostname(), now=time.time)
    applier = Applier(api, caches, recorder, is_leader=is_leader, now=time.time)
    return ControllerContext(api, caches, applier, recorder, settings, time.time, backend, admission=admission)


def _always() -> bool:
    return True


def _guard(is_leader: Callable[[], bool]) -> Callable[[], None]:
    def check() -> None:
        if not is_leader():
            raise NotLeader("the lease is not held")

    return check


async def _supervise(context: ControllerContext, manager: Manager, lease: Lease | None, stop: asyncio.Event) -> int:
    """Caches and events run all the time, the controllers while leading. The first of them to end ends all."""
    leading = asyncio.Event()

    async def lead() -> None:
        leading.set()
        await manager.run(stop)
        await context.recorder.flush(FLUSH_SECONDS)

    work: Awaitable[None] = lease.run(lead) if lease else lead()
    main = asyncio.ensure_future(work)
    helpers = [asyncio.ensure_future(context.caches.run()), asyncio.ensure_future(context.recorder.run())]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({main, stopping, *helpers}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set() and leading.is_set() and context.caches.unsynced() == []:
            await asyncio.wait({main}, timeout=STOP_SECONDS)
        return _exit_status(main, helpers, stop)
    finally:
        everything = [main, stopping, *helpers]
        for task in everything:
            task.cancel()
        await asyncio.gather(*everything, return_exceptions=True)


def _exit_status(main: asyncio.Future[None], helpers: Sequence[asyncio.Future[None]], stop: asyncio.Event) -> int:
    for task in (main, *helpers):
        fault = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(fault, LeaseLost):
            LOG.error("stopped: %s", fault)
            return FAILED
        if fault is not None:
            LOG.error("stopped by a fault", exc_info=fault)
            return FAILED
    LOG.info("stopped")
    return OK if stop.is_set() else FAILED


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await run(settings, stop)


def _event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run until SIGTERM or SIGINT; the process's exit status."""
    try:
        settings = parse(sys.argv[1:] if argv is None else argv, environ)
    except SettingsError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return USAGE
    logs.configure(settings.log_level)
    gc.set_threshold(20_000, 20, 50)  # caches are large, acyclic and long-lived: collect them seldom
    try:
        with asyncio.Runner(loop_factory=_event_loop()) as runner:
            return runner.run(_serve(settings))
    except SettingsError as fault:
        LOG.error("stopped: %s", fault)
        return USAGE
    except connect.NoCluster as fault:
        LOG.error("no cluster: %s", fault)
        return USAGE
    except OSError as fault:
        LOG.error("cannot start: %s", fault)
        return FAILED
