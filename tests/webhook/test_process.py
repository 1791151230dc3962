"""Everything but the verdicts: settings, routes and configurations, caches, and the process itself."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from aiohttp import web

from shared import kinds
from shared.kinds import Kind
from shared.kube.cache.cache import Caches
from shared.kube.client.api import Api
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from tests.webhook.make import body, flow, job, queue, step, task, template
from tests.webhook.server.serving import PAIR
from tests.webhook.test_certificates import write
from webhook import main
from webhook.server import configurations
from webhook.server.configurations import hooks
from webhook.server.routes import ROUTES
from webhook.settings import InvalidSettings, WebhookSettings, parse
from webhook.subject import cached_lookups
from webhook.subject.cached_lookups import CachedLookups, LiveLookup
from webhook.subject.lookups import InMemoryLookups, MissingObject

FILES = ["--tls-cert-file=c", "--tls-private-key-file=k"]

SETTINGS: dict[str, tuple[list[str], WebhookSettings]] = {
    "files": (FILES, WebhookSettings(tls_cert_file="c", tls_private_key_file="k")),
    "a secret": (
        ["--cert-secret=s", "--service-name=w", "--namespace=n", "--webhook-configuration=a,b"],
        WebhookSettings(cert_secret="s", service_name="w", namespace="n", webhook_configuration=("a", "b")),
    ),
    "everything else": (
        [
            *FILES,
            "--port=1",
            "--health-port=2",
            "--kubeconfig=f",
            "--scheduler-names=mine, volcano",
            "--log-level=debug",
        ],
        WebhookSettings(
            tls_cert_file="c",
            tls_private_key_file="k",
            port=1,
            health_port=2,
            kubeconfig="f",
            scheduler_names=("mine", "volcano"),
            log_level="debug",
        ),
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings(case: str) -> None:
    arguments, wanted = SETTINGS[case]
    assert parse(arguments) == wanted


@pytest.mark.parametrize("arguments", [[], FILES[:1], [*FILES, "--cert-secret=s"]], ids=["none", "half", "both"])
def test_settings_that_contradict_each_other(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidSettings):
        parse(arguments)
    assert main.main(arguments) == 2
    assert "--tls-cert-file" in capsys.readouterr().err


# --- routes and configurations ----------------------------------------------------------------------------------------


def test_the_generated_webhook_file_of_the_chart_is_up_to_date() -> None:
    assert configurations.main(["--check"]) == 0


def test_check_reports_an_outdated_file(tmp_path: Path) -> None:
    arguments = ["--file", str(tmp_path / "webhooks.yaml")]
    assert configurations.main([*arguments, "--check"]) == 1
    assert configurations.main(arguments) == 0
    assert configurations.main([*arguments, "--check"]) == 0
    assert yaml.safe_load((tmp_path / "webhooks.yaml").read_text()) == hooks()


def test_paths_and_names_are_unique_and_names_have_three_parts() -> None:
    assert len({route.path for route in ROUTES}) == len({route.name for route in ROUTES}) == len(ROUTES)
    assert all(len(route.name.split(".")) >= 3 for route in ROUTES)


def test_no_route_covers_status_or_foreign_groups() -> None:
    rules = [rule for each in (*hooks()["mutating"], *hooks()["validating"]) for rule in each["rules"]]
    assert all("/" not in resource for rule in rules for resource in rule["resources"])
    assert all(
        group.endswith(("volcano.sh", "policy.jobflow.dev", "flow.jobflow.dev")) or rule["resources"] == ["pods"]
        for rule in rules
        for group in rule["apiGroups"]
    )


def test_a_configuration_by_service() -> None:
    client = {"service": {"name": "w", "namespace": "n", "port": 443}}
    (mutating, first), (_, second) = configurations.configurations("jobflow", client, b"CA", excluded_namespaces=("n",))
    assert mutating == kinds.MUTATING
    assert first["webhooks"][0]["clientConfig"] == {
        "caBundle": "Q0E=",
        "service": {"name": "w", "namespace": "n", "port": 443, "path": "/jobflows/mutate"},
    }
    names = {each["name"] for each in second["webhooks"]}
    assert "validate.pods.core.jobflow.dev" not in names
    assert {each["failurePolicy"] for each in second["webhooks"] if "/deleted" in str(each)} == {"Ignore"}
    assert all(each["sideEffects"] == "None" and each["timeoutSeconds"] == 5 for each in second["webhooks"])


def test_the_pod_webhook_is_optional() -> None:
    chosen = configurations.configurations("jobflow", {"url": "https://h"}, b"", optional=("pods",))[1][1]["webhooks"]
    assert "https://h/pods/validate" in [each["clientConfig"]["url"] for each in chosen]


# --- lookups of rules ----------------------------------------------------------------------------------------------


class FakeApi:
    """Answers GETs with what it was given: a body or an error."""

    def __init__(self, answer: Body | Exception, seconds: float = 0.0) -> None:
        self.answer = answer
        self.seconds = seconds

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        await asyncio.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


LIVE: dict[str, tuple[FakeApi, list[tuple[Kind, Body]]]] = {
    "that is there": (FakeApi(queue("new")), [(kinds.QUEUE, queue("new"))]),
    "that is not": (FakeApi(NotFound("no")), []),
    "that we may not see": (FakeApi(Forbidden("no")), []),
    "that takes too long": (FakeApi(queue("new"), seconds=10), []),
}


@pytest.mark.parametrize("case", LIVE)
async def test_live_lookup(case: str) -> None:
    api, wanted = LIVE[case]
    live = LiveLookup(cast(Api, api))
    assert await live.find([MissingObject(kinds.QUEUE, "", "new")], 0.05) == wanted


class FakeCache:
    """As shared.kube.cache.cache.Cache, over given bodies, which go through `transform` as they would."""

    def __init__(self, bodies: list[Body]) -> None:
        self.bodies = bodies

    def get(self, namespace: str, name: str) -> Body | None:
        found = (each for each in self.list() if each["metadata"]["name"] == name)
        return next((each for each in found if each["metadata"].get("namespace", "") == namespace), None)

    def list(self, namespace: str | None = None) -> Iterator[Body]:
        yield from (each for each in self.bodies if namespace in (None, each["metadata"].get("namespace", "")))

    def on_change(self, handler: Callable[[Body | None, Body | None], None]) -> None:
        for each in self.bodies:
            handler(None, each)


class FakeCaches:
    def __init__(self, *bodies: Body) -> None:
        self.bodies = bodies
        self.needed: dict[Kind, asyncio.Event] = {}

    def want(
        self, kind: Kind, *, transform: Any, optional: bool = False, needed: asyncio.Event | None = None
    ) -> FakeCache:
        if needed is not None:
            self.needed[kind] = needed
        return FakeCache([transform(json.loads(json.dumps(each))) for each in self.bodies if each["kind"] == kind.kind])


def test_caches_keep_only_the_fields_that_rules_read() -> None:
    users = flow(step("a", template="t", patch={"jobSpec": {}}), name="f")
    users["status"] = {"state": {"phase": "Running"}, "steps": [{"name": "a"}]}
    users["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    lookups = CachedLookups(cast(Caches, FakeCaches(users, template(task("w", replicas=3), name="t"))))
    (kept,) = lookups.all(kinds.JOBFLOW, "ns1")
    assert kept == {
        "metadata": {"name": "f", "namespace": "ns1"},
        "spec": {"flows": [{"name": "a", "template": "t"}]},
        "status": {"state": {"phase": "Running"}},
    }
    assert lookups.get(kinds.JOBTEMPLATE, "ns1", "t") == {
        "metadata": {"name": "t", "namespace": "ns1"},
        "spec": {"tasks": [{"name": "w", "replicas": 3}]},
    }
    assert lookups.get(kinds.QUEUE, "", "none") is None
    assert list(lookups.all(kinds.JOBFLOW, "ns2")) == []


def test_jobs_are_watched_once_a_policy_counts_them_and_kept_without_what_quotas_do_not_read() -> None:
    running, ended = job(name="running", suspend=True), job(name="ended")
    running["metadata"] |= {"labels": {"who": "ann"}, "annotations": {"a": "b"}}
    running["status"] = {"state": {"phase": "Running", "message": "m"}, "running": 3, "conditions": [{}]}
    ended["metadata"] |= {"labels": {"who": "ann"}}
    ended["status"] = {"state": {"phase": "Completed"}}
    for limits, counts in (({"maxActiveFlows": 1}, False), ({"maxActiveJobs": 0}, True)):
        policy = body(kinds.JOBFLOWPOLICY, "p", {"limits": limits})
        caches = FakeCaches(running, ended, policy)
        lookups = CachedLookups(cast(Caches, caches))
        assert caches.needed[kinds.JOB].is_set() is counts
        assert lookups.get(kinds.JOB, "ns1", "running") == {
            "metadata": {"name": "running", "namespace": "ns1", "labels": {"who": "ann"}},
            "spec": {"suspend": True},
            "status": {"state": {"phase": "Running"}, "terminating": 1, "tasks": [{}]},
        }
        kept = lookups.get(kinds.JOB, "ns1", "ended")
        assert kept == {"metadata": {"name": "ended", "namespace": "ns1"}, "spec": {}, "status": ended["status"]}


def test_given_objects_take_precedence_over_the_lookups_below() -> None:
    below = InMemoryLookups([(kinds.QUEUE, queue("a", "Closed")), (kinds.QUEUE, queue("b"))])
    above = InMemoryLookups([(kinds.QUEUE, queue("a", "Open"))], below=below)
    assert sorted((each["metadata"]["name"], each["status"]["state"]) for each in above.all(kinds.QUEUE)) == [
        ("a", "Open"),
        ("b", "Open"),
    ]
    assert above.get(kinds.QUEUE, "", "b") == queue("b")


@pytest.mark.parametrize("spec", [None, {}, {"tasks": None}, {"tasks": [1, {"name": "w"}]}])
def test_a_malformed_template_can_be_cached(spec: Any) -> None:
    assert "spec" in cached_lookups._template(body(kinds.JOBTEMPLATE, "t", spec))


# --- the process ------------------------------------------------------------------------------------------------------


async def lists(request: web.Request) -> web.StreamResponse:
    """An API server without objects and without events."""
    if "watch" not in request.query:
        return web.json_response({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []})
    stream = web.StreamResponse()
    await stream.prepare(request)
    await asyncio.sleep(3600)
    return stream


@pytest.fixture
async def api_server() -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", lists)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def answer_of(port: int, path: str) -> str:
    """The whole response; '' if nothing listens."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return ""
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


async def ready(port: int) -> bool:
    """What /readyz says; the metric says the same."""
    answered = " 200 " in (await answer_of(port, "/readyz")).partition("\r\n")[0]
    assert not answered or "\njobflow_webhook_ready 1.0\n" in await answer_of(port, "/metrics")
    return answered


async def test_the_process_becomes_ready_drains_and_ends(api_server: str, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "contexts": [context],
                "clusters": [{"name": "c", "cluster": {"server": api_server}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
            }
        )
    )
    certificate, key = write(tmp_path, PAIR)
    settings = WebhookSettings(
        host="127.0.0.1",
        port=free_port(),
        health_port=free_port(),
        kubeconfig=str(kubeconfig),
        tls_cert_file=certificate,
        tls_private_key_file=key,
        drain_seconds=0.2,
        shutdown_seconds=0.1,
    )
    process = asyncio.create_task(main.run(settings))
    async with asyncio.timeout(20):
        while not await ready(settings.health_port):
            assert not process.done()
            await asyncio.sleep(0.01)
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.05)
        assert not await ready(settings.health_port)
        await process


def test_a_process_without_a_cluster_exits_with_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main.logs, "configure", lambda level: None)
        assert main.main([*FILES, "--port=0", f"--kubeconfig={tmp_path / 'nowhere'}"]) == 1
    assert "no such file" in caplog.text
