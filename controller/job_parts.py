"""The parts of the process that drive Jobs and Queues, and the gang backend that they share.

`controller.main` imports this module only if the process drives Jobs: beside Volcano's Job controller it would take 3 MiB
for nothing.
"""

import asyncio
import logging
import math
import time
from typing import Final

import msgspec

from controller.cluster import discovery
from controller.context import Part
from controller.gang import wiring as gang_controller
from controller.gang.admission import GateAdmission
from controller.gang.backends import workload_reconciler
from controller.gang.backends.detect import NATIVE, NATIVE_GROUP, NATIVE_VERSIONS, VOLCANO, detect, native_version
from controller.gang.backends.gate import GateBackend
from controller.gang.backends.native import NativeBackend
from controller.gang.settings import AdmissionSettings
from controller.gang_api import GangAdmission, GangBackend, NoAdmission, VolcanoBackend
from controller.job import reconciler as job_controller
from controller.queue import reconciler as queue_controller
from controller.settings import Settings, SettingsError
from controller.ttl import reconciler as ttl_controller
from shared.kube.client.api import Api

LOG: Final = logging.getLogger("controller")
AUTO: Final = "auto"
_TWO_JOB_CONTROLLERS: Final = (
    "Volcano is installed, and this controller drives Jobs and Queues: two controllers must never drive the same Jobs. "
    "Start vc-controller-manager with --controllers=*,-job-controller,-queue-controller, or this one with "
    "--no-job-controller (jobController.enabled=false in the chart)"
)


def _jobs(settings: Settings) -> bool:
    return settings.job_controller


def _gate(settings: Settings) -> bool:
    return settings.job_controller and settings.gang_backend != VOLCANO


def _native(settings: Settings) -> bool:
    return settings.job_controller and settings.gang_backend == NATIVE


CONTROLLERS: Final[tuple[Part, ...]] = (
    Part(job_controller.build, _jobs),
    Part(ttl_controller.build, _jobs),
    Part(gang_controller.build, _gate),
    Part(workload_reconciler.build, _native),
    Part(queue_controller.build, _jobs),
)


async def gang(settings: Settings, api: Api, stop: asyncio.Event) -> tuple[Settings, GangBackend, GangAdmission]:
    """The settings with the backend that `auto` means on this cluster, that backend, and its admission.

    Raises SettingsError when `native` is asked for where the cluster does not serve it.
    """
    name, version = settings.gang_backend, None
    if name in (AUTO, NATIVE):
        groups, served = await discovery.served(api, stop, NATIVE_GROUP, NATIVE_VERSIONS)
        version = native_version(served)
        if name == AUTO:
            name, why = detect(groups, served)
            LOG.info("gang backend chosen", extra={"backend": name, "because": why})
    if name == VOLCANO:
        LOG.warning(_TWO_JOB_CONTROLLERS)
    settings = msgspec.structs.replace(settings, gang_backend=name)
    return settings, _backend(settings, name, version), _admission(settings)


def _backend(settings: Settings, name: str, version: str | None) -> GangBackend:
    if name == VOLCANO:
        return VolcanoBackend()
    if name != NATIVE:
        return GateBackend(settings.pod_scheduler_name)
    if version is None:
        raise SettingsError("--gang-backend=native: the cluster serves no Workload and PodGroup in scheduling.k8s.io")
    return NativeBackend(settings.pod_scheduler_name, version)


def _admission(settings: Settings) -> GangAdmission:
    if settings.gang_backend == VOLCANO:
        return NoAdmission()
    # With native, kube-scheduler binds gangs whole or not at all: there is nothing to put back.
    native = settings.gang_backend == NATIVE
    bind_timeout = math.inf if native else settings.gang_bind_timeout
    return GateAdmission(
        AdmissionSettings(settings.gang_reserve_after, bind_timeout, settings.reclaim, native), time.time
    )
