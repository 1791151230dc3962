from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Counter

from shared.kube.health import Health


async def test_health_checks_and_metrics_are_served() -> None:
    registry = CollectorRegistry()
    Counter("passes_total", "x", registry=registry).inc(3)
    fault = {"live": "", "ready": "2 caches are not synced"}
    health = Health(live={"loop": lambda: fault["live"]}, ready={"caches": lambda: fault["ready"]}, registry=registry)
    async with health.serve("127.0.0.1", 0) as port, ClientSession(f"http://127.0.0.1:{port}") as client:

        async def get(path: str) -> tuple[int, str]:
            async with client.get(path) as response:
                return response.status, await response.text()

        assert await get("/healthz") == (200, "ok")
        assert await get("/readyz") == (503, "[+]loop ok\n[-]caches failed: 2 caches are not synced\n")
        fault["ready"] = ""
        assert await get("/readyz") == (200, "ok")
        fault["live"] = "stuck"
        assert await get("/healthz") == (503, "[-]loop failed: stuck\n")
        assert (await get("/readyz"))[0] == 503
        status, text = await get("/metrics")
        assert (status, "passes_total 3.0" in text) == (200, True)
        assert (await get("/other"))[0] == 404
