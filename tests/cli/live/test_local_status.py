"""What `jobflow local status` says of an API server that does not serve."""

import time
from pathlib import Path

import pytest

from local import overview
from local.request import ClusterRequest
from local.state_folder import ClusterRecord
from tests.cli.make import write
from tests.shared.kube.one_shot.threaded import Answering, ThreadedHandler, threaded

CHECKS = "[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\n{} check failed"


def _without_store(handler: ThreadedHandler) -> None:
    """As kube-apiserver without etcd: it knows its version and its checks, and lets all else wait."""
    path = handler.path.partition("?")[0]
    if path in ("/livez", "/readyz"):
        _text(handler, CHECKS.format(path[1:]))
    elif path == "/version":
        handler.answer({"gitVersion": "v1"}, 200, Content_Type="application/json")
    else:
        time.sleep(0.5)
        handler.close_connection = True


def _refusing(handler: ThreadedHandler) -> None:
    _text(handler, "no such thing")


def _text(handler: ThreadedHandler, text: str) -> None:
    handler.send_response(500)
    handler.send_header("Content-Type", "text/plain")
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text.encode())


CASES = {
    "without its store": (_without_store, "the API server is not ready: failed checks: etcd"),
    "that answers with another error": (_refusing, "the API server does not answer: 500 : no such thing"),
}


@pytest.mark.parametrize(("answering", "words"), CASES.values(), ids=CASES.keys())
def test_an_api_server_is_not_healthy(
    answering: Answering, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "_ANSWER_SECONDS", 0.2)
    with threaded(answering) as (_, address):
        file = write(
            tmp_path / "config",
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": address}}],
                "users": [{"name": "u", "user": {}}],
            },
        )
        seen = overview.observe(ClusterRecord(ClusterRequest(), file, 0.0, {}))
    assert (seen.error, seen.healthy) == (words, False)
