"""The whole process on a fake API server: start, leader election, reconciling and shutdown."""

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession

from controller import main as main_module
from controller.main import main, run
from controller.settings import Settings
from tests.shared.kube.fake import FakeServer, serving, until

LEASES = "/apis/coordination.k8s.io/v1/leases"
TEMPLATES = "/apis/flow.volcano.sh/v1alpha1/jobtemplates"
JOBS = "/apis/batch.volcano.sh/v1alpha1/jobs"


def kubeconfig(folder: Path, server: str) -> str:
    path = folder / "kubeconfig"
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
    }
    path.write_text(yaml.safe_dump(config))
    return str(path)


def holder(fake: FakeServer) -> str:
    lease = fake.objects.get(LEASES, {}).get(("default", "jobflow-controller"), {})
    return str(lease.get("spec", {}).get("holderIdentity", ""))


def settings(path: str, **more: Any) -> Settings:
    return Settings(kubeconfig=path, health_host="127.0.0.1", health_port=0, **more)


async def test_the_controller_leads_works_and_releases_the_lease(tmp_path: Path) -> None:
    fake = FakeServer()
    fake.put(TEMPLATES, {"metadata": {"name": "a", "namespace": "ns"}})
    fake.put(
        JOBS, {"metadata": {"name": "f-a", "namespace": "ns", "labels": {"volcano.sh/createdByJobTemplate": "ns.a"}}}
    )
    async with serving(fake) as (server, _):
        path = kubeconfig(tmp_path, str(server.make_url("")))
        stop, second = asyncio.Event(), asyncio.Event()
        leader = asyncio.create_task(run(settings(path), stop))
        await until(lambda: "status" in fake.objects[TEMPLATES]["ns", "a"])
        assert holder(fake)
        standby = asyncio.create_task(run(settings(path), second))
        await until(lambda: fake.calls["LIST jobs"] == 2)  # its caches are warm
        stop.set()
        assert await leader == 0
        assert holder(fake) == ""
        second.set()
        assert await standby == 0


async def test_without_election_there_is_no_lease(tmp_path: Path) -> None:
    fake = FakeServer()
    async with serving(fake) as (server, _):
        stop = asyncio.Event()
        path = kubeconfig(tmp_path, str(server.make_url("")))
        running = asyncio.create_task(run(settings(path, leader_elect=False), stop))
        await until(lambda: fake.calls["WATCH jobs"] == 1)
        stop.set()
        assert await running == 0
        assert LEASES not in fake.objects


async def test_a_lease_taken_away_ends_the_process_with_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeServer()
    original = main_module.Lease

    def quick(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs, retry_seconds=0.005)

    monkeypatch.setattr(main_module, "Lease", quick)
    async with serving(fake) as (server, _):
        running = asyncio.create_task(run(settings(kubeconfig(tmp_path, str(server.make_url("")))), asyncio.Event()))
        await until(lambda: holder(fake) != "")
        lease = fake.objects[LEASES]["default", "jobflow-controller"]
        lease["spec"]["holderIdentity"] = "somebody-else"
        fake.put(LEASES, lease)
        assert await running == 1
        assert holder(fake) == "somebody-else"


async def test_health_is_served_while_waiting_for_the_api_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports: list[int] = []
    original = main_module.Health.serve

    def serve(self: Any, host: str, port: int) -> Any:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
        return original(self, host, ports[0])

    monkeypatch.setattr(main_module.Health, "serve", serve)
    stop = asyncio.Event()
    running = asyncio.create_task(run(settings(kubeconfig(tmp_path, "http://127.0.0.1:1")), stop))
    await until(lambda: bool(ports))
    async with ClientSession(f"http://127.0.0.1:{ports[0]}") as client:
        for _ in range(100):
            try:
                async with client.get("/readyz") as response:
                    assert response.status == 503
                    assert "has not answered yet" in await response.text()
                break
            except OSError:
                await asyncio.sleep(0.01)
        async with client.get("/healthz") as response:
            assert response.status == 200
    stop.set()
    assert await running == 0


@pytest.mark.parametrize(
    ("argument", "said"), [("--workers=none", "none"), ("--kubeconfig=/nowhere", "/nowhere: no such")]
)
def test_wrong_usage_ends_with_status_2(argument: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        assert main([argument], {}) == 2
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
    assert said in capsys.readouterr().err
