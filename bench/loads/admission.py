"""(g) Admission reviews over TLS against one webhook process, and its cold start."""

import compileall
import time
from typing import Any, Final

import certs
import shared
import webhook
from bench import bodies
from bench.cluster import BenchCluster
from bench.https import HttpResult, HttpsClient
from bench.peer import Side
from bench.procstat import usage
from bench.reviews import review
from bench.stats import percentile
from webhook.server.configurations import configurations

CONNECTIONS: Final = (1, 8, 64)
SECONDS: Final = 3.0
LAYERS: Final = 26
PACKAGES: Final = (certs, shared, webhook)


async def measure(bench_cluster: BenchCluster, side: Side, scale: float) -> dict[str, Any]:
    cluster = bench_cluster.cluster
    _compile()
    started = time.perf_counter()
    cluster.start_webhook()
    try:
        cluster.await_ready("webhook")
        found: dict[str, Any] = {"cold_start_s": time.perf_counter() - started}
        client = HttpsClient(cluster.webhook_url, cluster.bundle)
        pid = cluster.processes["webhook"].pid
        for name, body in subjects().items():
            for verb in ("mutate", "validate"):
                found |= await _pair(client, pid, f"{name}_{verb}", path(body["kind"], verb), review(body))
        found["webhook_peak_mib"] = usage(pid).peak
        return found
    finally:
        cluster.processes.stop("webhook")


def _compile() -> None:
    """Compile the webhook's modules, as its image does, so that the cold start does not include it."""
    for package in PACKAGES:
        for place in package.__path__:
            compileall.compile_dir(place, quiet=2)


async def _pair(client: HttpsClient, pid: int, name: str, where: str, body: bytes) -> dict[str, Any]:
    await client.load(where, body, 1, 0.3)
    found: dict[str, Any] = {}
    for connections in CONNECTIONS:
        before = usage(pid).cpu
        result = await client.load(where, body, connections, SECONDS)
        found |= _figures(f"{name}_{connections}c", result, usage(pid).cpu - before)
    return found


def _figures(name: str, result: HttpResult, cpu: float) -> dict[str, float]:
    times = [1000 * each for each in result.times]
    rate = {f"{name}_per_s": len(times) / result.seconds, f"{name}_per_cpu_s": len(times) / cpu if cpu else 0.0}
    return rate | {f"{name}_ms_p{percent:g}": percentile(times, percent) for percent in (50, 99, 99.9)}


def subjects() -> dict[str, dict[str, Any]]:
    """The reviewed objects, by the name of their figures."""
    graphs = {
        "flow5": bodies.DIAMOND,
        "flow100": bodies.chain(100),
        "flow1000": bodies.independent(1000),
        "layers26": bodies.layers(LAYERS),
    }
    flows = {name: bodies.flow("default", name, graph) for name, graph in graphs.items()}
    return {**flows, "job": bodies.job("default", "job", 3)}


def path(kind: str, verb: str) -> str:
    """The path of the webhook that our configurations register for creating the kind."""
    plural = kind.lower() + "s"
    word = {"mutate": "MutatingWebhookConfiguration", "validate": "ValidatingWebhookConfiguration"}[verb]
    for _, body in configurations("bench", {"url": "https://bench"}, b""):
        if body["kind"] == word:
            for hook in body["webhooks"]:
                if any(plural in rule["resources"] for rule in hook["rules"]):
                    return str(hook["clientConfig"]["url"]).removeprefix("https://bench")
    raise LookupError(f"no webhook for {plural}")
