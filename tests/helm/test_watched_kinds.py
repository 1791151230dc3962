"""The controller may list and watch every kind that it does list and watch: otherwise it never becomes ready."""

from contextlib import AbstractAsyncContextManager
from typing import NoReturn

import msgspec
import pytest
from aiohttp import StreamReader

from controller import job_parts
from controller.gang.backends.detect import GATE, NATIVE, NATIVE_VERSIONS, VOLCANO
from controller.gang_api import GangAdmission, GangBackend, NoAdmission, UngatedBackend
from controller.main import CONTROLLERS, _context
from controller.settings import Settings, parse
from shared.kinds import Kind
from shared.kube.cache.cache import Caches
from shared.kube.client.api import Api
from shared.kube.client.requests import Answer, Request
from shared.model.types import Body
from tests.helm.cases import CASES
from tests.helm.chart import container, of, render


class SilentTransport:
    """A transport over which nothing is sent."""

    async def send(self, request: Request, seconds: float) -> Answer:
        self._fail()

    def stream(self, request: Request, idle: float) -> AbstractAsyncContextManager[tuple[int, StreamReader, str]]:
        self._fail()

    async def pause(self, seconds: float) -> None:
        self._fail()

    async def renew(self) -> None:
        self._fail()

    async def close(self) -> None:
        self._fail()

    def _fail(self) -> NoReturn:
        raise AssertionError("the controllers are only built")


def watched(settings: Settings) -> list[Kind]:
    """The kinds of the caches that the controllers want with these settings."""
    api = Api(SilentTransport())
    caches = Caches(api, namespaces=settings.watch_namespaces)
    version = NATIVE_VERSIONS[0] if settings.gang_backend == NATIVE else None
    backend: GangBackend = UngatedBackend()
    admission: GangAdmission = NoAdmission()
    parts = CONTROLLERS
    if settings.job_controller:
        backend = job_parts._backend(settings, settings.gang_backend, version)
        admission = job_parts._admission(settings)
        parts = (*CONTROLLERS, *job_parts.CONTROLLERS)
    context = _context(settings, api, caches, lambda: True, backend, admission)
    for part in parts:
        if part.enabled(settings):
            part.build(context)
    return [cache.kind for cache in caches._caches.values()]


def granted(objects: tuple[Body, ...], verb: str) -> set[tuple[str, str]]:
    """(group, resource) for which the controller's ClusterRole has the verb."""
    role = of(objects, "ClusterRole", "-controller")
    return {
        (group, resource)
        for rule in role["rules"]
        if verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_every_watched_kind_may_be_listed_and_watched(values: Body) -> None:
    objects = render(values)
    settings = parse(container(of(objects, "Deployment", "-controller"))["args"], {})
    backends = (VOLCANO, NATIVE, GATE) if settings.gang_backend == job_parts.AUTO else (settings.gang_backend,)
    kinds = {
        (kind.group, kind.plural)
        for backend in backends
        for kind in watched(msgspec.structs.replace(settings, gang_backend=backend))
    }
    assert kinds - granted(objects, "list") == set()
    assert kinds - granted(objects, "watch") == set()
