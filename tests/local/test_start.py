"""What a local cluster starts with: a control plane that serves all it must, and certificates for strict clients."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from local.controlplane import ControlPlane, ControlPlaneOptions
from local.pki import CertificateAuthority
from local.processes import Processes, StartError
from local.served import USED_BY_KUBECTL, ServedPath, missing, openapi_of

GOOD = {each.path: b'{"%s": {"x": 1}}' % each.key.encode() for each in USED_BY_KUBECTL}


def served(answers: dict[str, bytes]) -> list[str]:
    def get(path: str) -> bytes:
        if path not in answers:
            raise OSError("HTTP Error 503: Service Unavailable")
        return answers[path]

    return missing(get, USED_BY_KUBECTL)


def test_nothing_is_missing_from_a_server_that_serves_all() -> None:
    assert served(GOOD) == []


BROKEN = {
    "not served": ({}, "/openapi/v2: HTTP Error 503: Service Unavailable"),
    "no JSON": ({"/openapi/v2": b"{oops"}, "/openapi/v2: is not valid JSON"),
    "no definitions": ({"/openapi/v2": b'{"swagger": "2.0"}'}, "/openapi/v2: has no definitions"),
    "not an object": ({"/openapi/v2": b"[]"}, "/openapi/v2: has no definitions"),
}


@pytest.mark.parametrize(("answer", "wanted"), BROKEN.values(), ids=BROKEN)
def test_what_is_missing_is_named(answer: dict[str, bytes], wanted: str) -> None:
    (line,) = served({path: body for path, body in GOOD.items() if path != "/openapi/v2"} | answer)
    assert line.startswith(wanted)


def test_the_documents_of_crds_are_waited_for() -> None:
    paths = openapi_of(Path("helm/jobflow/files/crds"))
    assert ServedPath("/openapi/v3/apis/flow.volcano.sh/v1alpha1", "components") in paths


def test_a_strict_client_accepts_the_serving_certificate(tmp_path: Path) -> None:
    """As Python is from 3.13 on."""
    authority = CertificateAuthority()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*authority.serving().write(tmp_path, "serving"))
    client = ssl.create_default_context(cadata=authority.pem.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()
    answering = threading.Thread(target=lambda: serving.wrap_socket(far, server_side=True).close())
    answering.start()
    with client.wrap_socket(near, server_hostname="localhost") as stream:
        assert stream.version() == "TLSv1.3"
    answering.join()


STAYS = "#!/bin/sh\nexec sleep 60\n"
# Programs in place of the control plane's, and what is said.
PROGRAMS: dict[str, tuple[dict[str, str], str]] = {
    "an API server that ends": (
        {"etcd": STAYS, "kube-apiserver": "#!/bin/sh\necho broken >&2; exit 3\n"},
        "kube-apiserver ended with exit code 3:\nbroken",
    ),
    "an etcd that ends without a word": (
        {"etcd": "#!/bin/sh\nexit 1\n", "kube-apiserver": STAYS},
        "etcd ended with exit code 1:\n(no output)",
    ),
    "an etcd of another machine": (
        {"etcd": "\x00\x01\x02", "kube-apiserver": STAYS},
        "etcd cannot be executed: Exec format error; is it built for this machine?",
    ),
}


@pytest.mark.parametrize(("programs", "wanted"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_that_does_not_start_is_named(programs: dict[str, str], wanted: str, tmp_path: Path) -> None:
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    with Processes(tmp_path / "logs") as processes, pytest.raises(StartError) as refused:
        ControlPlane(ControlPlaneOptions(tmp_path, tmp_path / "run"), processes).start()
    assert wanted in str(refused.value)
