"""Network probes against servers of this machine: which probes succeed, which fail and why, and which addresses are
never contacted."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from controller.jobflow.model.context import ProbeWanted
from controller.jobflow.model.observed import ProbeResult
from controller.jobflow.model.pod_results import PodAddress, addresses, left_behind
from controller.jobflow.observe.prober import Prober
from shared.key import Key
from shared.model.step import HttpGet, HttpHeader, TcpSocket
from tests.shared.kube.fake import until

KEY = Key("ns", "f")


class Pods:
    """Returns the addresses of pods; counts the calls, and how many were concurrent."""

    def __init__(self) -> None:
        self.pods = [PodAddress("serve-0", "127.0.0.1")]
        self.asked = 0
        self.inside = 0
        self.most = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, namespace: str, job: str, task: str) -> list[PodAddress]:
        self.asked += 1
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.gate.wait()
        self.inside -= 1
        return self.pods


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/moved":
            raise web.HTTPFound("http://192.0.2.1/")
        if request.path == "/busy":
            raise web.HTTPServiceUnavailable
        return web.Response(text="ok" if request.headers.get("X-Who", "") in ("", "me") else "no")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def pods() -> Pods:
    return Pods()


@pytest.fixture
async def woken() -> list[Key]:
    return []


@pytest.fixture
async def prober(pods: Pods, woken: list[Key]) -> AsyncIterator[Prober]:
    prober = Prober(pods, woken.append, allow_loopback=True, period=0.01)
    yield prober
    await prober.close()


def http(port: int, path: str = "/ready", minimum: int = 1, **more: object) -> ProbeWanted:
    return ProbeWanted("s", ("f-t",), "m", minimum, HttpGet(task_name="m", path=path, port=port, **more))


async def result_of(prober: Prober, probe: ProbeWanted) -> ProbeResult:
    prober.want(KEY, (probe,))
    await until(lambda: probe.step in prober.results(KEY))
    return prober.results(KEY)[probe.step]


async def test_a_successful_probe_wakes_its_flow(prober: Prober, server: TestServer, woken: list[Key]) -> None:
    header = HttpHeader(name="X-Who", value="me")
    assert await result_of(prober, http(server.port or 0, http_header=header)) == ProbeResult(True, "")
    assert woken == [KEY]


async def test_an_unsuccessful_status_code_is_reported(prober: Prober, server: TestServer) -> None:
    found = await result_of(prober, http(server.port or 0, "/busy"))
    assert found == ProbeResult(False, f"probe http :{server.port}/busy on serve-0 failing: 503")


async def test_a_redirect_counts_as_an_answer_and_is_not_followed(prober: Prober, server: TestServer) -> None:
    assert (await result_of(prober, http(server.port or 0, "/moved"))).holds


async def test_a_closed_port_is_refused(prober: Prober, server: TestServer) -> None:
    port = server.port or 0
    await server.close()
    probe = ProbeWanted("s", ("f-t",), "m", 1, TcpSocket(task_name="m", port=port))
    assert await result_of(prober, probe) == ProbeResult(
        False, f"probe tcp :{port} on serve-0 failing: connection refused"
    )


async def test_an_open_port_is_a_success(prober: Prober, server: TestServer) -> None:
    probe = ProbeWanted("s", ("f-t",), "m", 1, TcpSocket(task_name="m", port=server.port or 0))
    assert (await result_of(prober, probe)).holds


async def test_every_required_pod_must_run(prober: Prober, server: TestServer) -> None:
    found = await result_of(prober, http(server.port or 0, minimum=2))
    assert found.failing == f"probe http :{server.port}/ready: 1 of 2 pods of task m run"


async def test_a_probe_succeeds_when_enough_pods_answer(prober: Prober, pods: Pods, server: TestServer) -> None:
    pods.pods = [PodAddress("serve-0", "10.0.0.1", host_network=True), PodAddress("serve-1", "127.0.0.1")]
    assert (await result_of(prober, http(server.port or 0, minimum=1))).holds


async def test_a_probe_that_raises_an_error_reports_it_and_is_retried(prober: Prober, pods: Pods) -> None:
    probe = ProbeWanted("s", ("f-t",), "m", 1, TcpSocket(task_name="m", port=70000))
    found = await result_of(prober, probe)
    assert not found.holds
    assert found.failing.startswith("probe tcp :70000 cannot be tried: ")
    before = pods.asked
    await until(lambda: pods.asked > before)


NEVER = {
    "this machine, in the clothes of IPv6": PodAddress("p", "::ffff:127.0.0.1"),
    "link-local, in the clothes of IPv6": PodAddress("p", "::ffff:169.254.169.254"),
    "the node itself": PodAddress("p", "127.0.0.1", host_network=True),
    "this machine": PodAddress("p", "127.0.0.1"),
    "link-local, where clouds keep credentials": PodAddress("p", "169.254.169.254"),
    "a name": PodAddress("p", "example.com"),
    "nothing yet": PodAddress("p", ""),
    "everybody": PodAddress("p", "224.0.0.1"),
    "an unspecified address": PodAddress("p", "0.0.0.0"),
    "IPv6 loopback": PodAddress("p", "::1"),
    "IPv6 link-local": PodAddress("p", "fe80::1"),
}


@pytest.mark.parametrize("address", NEVER.values(), ids=NEVER.keys())
async def test_addresses_that_are_never_contacted(address: PodAddress, pods: Pods, server: TestServer) -> None:
    prober = Prober(pods, lambda key: None, period=0.01)
    pods.pods = [address]
    try:
        assert not (await result_of(prober, http(server.port or 0))).holds
    finally:
        await prober.close()


async def test_only_a_changed_result_wakes_the_flow_again(
    prober: Prober, pods: Pods, server: TestServer, woken: list[Key]
) -> None:
    pods.pods = []
    await result_of(prober, http(server.port or 0))
    before = pods.asked
    await until(lambda: pods.asked > before + 3)
    assert woken == [KEY]
    pods.pods = [PodAddress("serve-0", "127.0.0.1")]
    await until(lambda: len(woken) == 2)
    assert prober.results(KEY)["s"].holds


async def test_the_number_of_concurrent_probes_is_limited(pods: Pods) -> None:
    prober = Prober(pods, lambda key: None, limit=3, allow_loopback=True, period=0.01)
    pods.gate.clear()
    for number in range(50):
        prober.want(Key("ns", f"f{number}"), (http(1),))
    await until(lambda: pods.inside == 3)
    pods.gate.set()
    await until(lambda: all(prober.results(Key("ns", f"f{number}")) for number in range(50)))
    assert pods.most == 3
    await prober.close()


async def test_a_probe_that_is_no_longer_needed_is_not_tried(prober: Prober, pods: Pods, server: TestServer) -> None:
    await result_of(prober, http(server.port or 0))
    prober.want(KEY, ())
    assert prober.results(KEY) == {}
    await asyncio.sleep(0.03)
    before = pods.asked
    await asyncio.sleep(0.05)
    assert pods.asked == before


def pod(name: str, task: str = "m", index: str = "0", **fields: object) -> dict:
    return {
        "metadata": {"name": name, "annotations": {"volcano.sh/task-spec": task, "volcano.sh/task-index": index}},
        "spec": {"containers": [{"name": "main"}, {"name": "side"}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", **fields},
    }


def test_only_running_pods_of_the_task_have_addresses() -> None:
    gone = pod("p-3")
    gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    found = addresses(
        [pod("p-2", index="2"), pod("p-1", index="1"), pod("q", "x"), pod("p-4", phase="Pending"), gone], "m"
    )
    assert [one.name for one in found] == ["p-1", "p-2"]


def ended(name: str, code: int, message: str = "", at: str = "2026-01-01T00:00:00Z") -> dict:
    return {"name": name, "state": {"terminated": {"exitCode": code, "message": message, "finishedAt": at}}}


def test_results_of_ended_pods() -> None:
    statuses = [ended("side", 0, "s"), ended("main", 0, "m")]
    late = pod("p-1", index="1", phase="Failed", containerStatuses=[ended("main", 4, "x", "2026-01-01T00:00:09Z")])
    soon = pod("p-2", index="2", phase="Failed", containerStatuses=[ended("main", 3, "x", "2026-01-01T00:00:05Z")])
    found = left_behind([late, soon, pod("p-0", phase="Succeeded", containerStatuses=statuses)])
    assert found.messages == {("m", ""): "m", ("m", "main"): "m", ("m", "side"): "s"}
    assert found.exit_code == 3


CUT_MESSAGES = {
    "shorter than the limit": (2, 4095, False),
    "as long as the limit": (2, 4096, True),
    "longer, as invalid bytes are replaced": (2, 4098, True),
    "shorter than the limit of six containers": (6, 2047, False),
    "as long as the limit of six containers": (6, 2048, True),
}


@pytest.mark.parametrize(("containers", "length", "cut"), CUT_MESSAGES.values(), ids=CUT_MESSAGES)
def test_a_message_as_long_as_kubernetes_keeps_may_be_cut(containers: int, length: int, cut: bool) -> None:
    ended_pod = pod("p-0", phase="Succeeded", containerStatuses=[ended("main", 0, "x" * length)])
    others = [{"name": f"c{number}"} for number in range(containers - 1)]
    ended_pod["spec"] = {"containers": [{"name": "main"}], "initContainers": others}
    assert left_behind([ended_pod]).cut == (frozenset({("m", ""), ("m", "main")}) if cut else frozenset())
