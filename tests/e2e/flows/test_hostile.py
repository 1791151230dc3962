"""Bad input does not stop the webhook from serving good input."""

import contextlib
import os
import socket
import ssl
import time
from urllib.parse import urlsplit

import orjson
import pytest
import urllib3

from local.cluster import LocalCluster
from tests.e2e.support.scenario import Scenario, jobflow
from webhook.server.routes import ROUTES

PATHS = [route.path for route in ROUTES]
HUGE = 4 * 1024 * 1024
BAD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "not an object": b"[1, 2]",
    "an object of another kind": b'{"kind": "Pod", "apiVersion": "v1"}',
    "a review without a request": b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}',
    "bytes that are no text": bytes(range(256)) * 16,
    "deep nesting": b'{"request":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
}


def post(cluster: LocalCluster, path: str, body: bytes) -> int:
    context = ssl.create_default_context(cadata=cluster.bundle.decode())
    with urllib3.PoolManager(ssl_context=context, retries=False, timeout=10) as pool:
        headers = {"Content-Type": "application/json"}
        return int(pool.request("POST", cluster.webhook_url + path, body=body, headers=headers).status)


def still_serves(scenario: Scenario) -> None:
    """A valid flow is accepted and an invalid one refused, through the API server."""
    assert scenario.flow("good", {"a": ()}, suspend=True)["metadata"]["uid"]
    assert "cycle" in scenario.refused(jobflow(scenario.namespace, "bad", {"a": ("b",), "b": ("a",)}))


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_a_bad_envelope_is_the_senders_fault(scenario: Scenario, body: bytes) -> None:
    assert {post(scenario.cluster, path, body) for path in PATHS} == {400}
    still_serves(scenario)


def test_a_body_above_the_limit_is_refused(scenario: Scenario) -> None:
    with contextlib.suppress(urllib3.exceptions.HTTPError):  # the connection may be cut while we still send
        assert post(scenario.cluster, PATHS[0], b" " * HUGE) == 413
    still_serves(scenario)


def test_an_object_of_almost_the_largest_size_gets_an_answer(scenario: Scenario) -> None:
    body = jobflow(scenario.namespace, "large", {"a": ()}, suspend=True)
    body["metadata"]["annotations"] = {"large": "x" * 200_000}
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "1", "operation": "CREATE", "object": body, "kind": _KIND, "resource": _RESOURCE},
    }
    assert post(scenario.cluster, PATHS[0], orjson.dumps(review)) in (200, 400)
    still_serves(scenario)


def test_cut_connections_and_garbage_instead_of_tls_change_nothing(scenario: Scenario) -> None:
    place = urlsplit(scenario.cluster.webhook_url)
    address = (str(place.hostname), int(place.port or 0))
    for garbage in (b"", b"GET / HTTP/1.1\r\n\r\n", os.urandom(2000)):
        with socket.create_connection(address, timeout=5) as raw:
            raw.sendall(garbage)
    context = ssl.create_default_context(cadata=scenario.cluster.bundle.decode())
    for part in (b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{", b"\x00" * 100):
        with (
            socket.create_connection(address, timeout=5) as raw,
            context.wrap_socket(raw, server_hostname=address[0]) as safe,
        ):
            safe.sendall(part)
    still_serves(scenario)


def test_idle_connections_do_not_use_up_the_webhook(scenario: Scenario) -> None:
    place = urlsplit(scenario.cluster.webhook_url)
    address = (str(place.hostname), int(place.port or 0))
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection(address, timeout=5))
        time.sleep(0.2)
        still_serves(scenario)


_KIND = {"group": "flow.volcano.sh", "version": "v1alpha1", "kind": "JobFlow"}
_RESOURCE = {"group": "flow.volcano.sh", "version": "v1alpha1", "resource": "jobflows"}
