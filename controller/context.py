"""What a controller is built with: clients, caches, clocks and the gang backend.

It stands above `runtime` and `cluster` because it names both and the gang backend, and below the controllers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from controller.cluster.apply import Applier
from controller.cluster.events import Recorder
from controller.gang_api import GangAdmission, GangBackend, NoAdmission, UngatedBackend
from controller.runtime.controller import Controller
from controller.settings import Settings
from shared.kube.cache.cache import Caches
from shared.kube.client.api import Api


@dataclass(frozen=True)
class ControllerContext:
    """What `build` may use. Declare caches in `build` with `context.caches.want(KIND, indexers=...)`; they run later.

    `api` is for live reads; writes go through `applier`. `clock` returns epoch seconds and is passed to deciding code as
    `now`. `steady` returns seconds of a monotonic clock, for times that only this process remembers.
    `gang` says how PodGroups and pods must look for whoever starts gangs; `admission` is what this process has admitted,
    shared by the Job, gang and queue controllers.
    """

    api: Api
    caches: Caches
    applier: Applier
    recorder: Recorder
    settings: Settings
    clock: Callable[[], float]
    gang: GangBackend = field(default_factory=UngatedBackend)
    steady: Callable[[], float] = time.monotonic
    admission: GangAdmission = field(default_factory=NoAdmission)


class Part(msgspec.Struct, frozen=True):
    """A controller and the setting that switches it on."""

    build: Callable[[ControllerContext], Controller]
    enabled: Callable[[Settings], bool]
