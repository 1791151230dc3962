"""Termination messages and paths of containers, as far as a kubelet limits and a process sees them."""

from pathlib import Path
from typing import Any

import pytest

from local.nodes.kubelet import termination
from local.nodes.kubelet.container_paths import relocate
from shared.model.types import Body


def a_pod(containers: int = 1, init: int = 0) -> Body:
    spec = {"containers": [{"name": f"c{number}"} for number in range(containers)]}
    return {"spec": spec | {"initContainers": [{"name": f"i{number}"} for number in range(init)]}}


def message(written: bytes, pod: Body | None = None, code: int = 0, log: bytes = b"", **container: Any) -> str:
    return termination.message(pod or a_pod(), {"name": "c0"} | container, code, written, log)


SIZES = {
    "a short message is whole": (a_pod(), b"abc", "abc"),
    "the last 4096 bytes remain": (a_pod(), b"a" + b"b" * 4095 + b"c", "b" * 4095 + "c"),
    "three containers have 4096 bytes each": (a_pod(2, 1), b"x" * 5000, "x" * 4096),
    "four containers have 3072 bytes each": (a_pod(3, 1), b"a" * 1000 + b"b" * 4096, "b" * 3072),
    "of the last 4096 bytes the first remain": (a_pod(4), b"a" * 2000 + b"b" * 3000, "a" * 1096 + "b" * 1976),
}


@pytest.mark.parametrize(("pod", "written", "wanted"), SIZES.values(), ids=SIZES)
def test_a_message_is_limited_as_by_a_kubelet(pod: Body, written: bytes, wanted: str) -> None:
    assert message(written, pod) == wanted


def test_a_character_that_is_cut_does_not_break_the_message() -> None:
    assert message("ä".encode() * 2048 + b"x").endswith("äx")


LOG = b"".join(b"line %d\n" % number for number in range(100))
FALLBACK: dict[str, tuple[str, bytes, int, str]] = {
    "a failed container": ("FallbackToLogsOnError", b"", 1, "line 99\n"),
    "a message of its own comes first": ("FallbackToLogsOnError", b"own", 1, "own"),
    "a successful container": ("FallbackToLogsOnError", b"", 0, ""),
    "the policy File": ("File", b"", 1, ""),
}


@pytest.mark.parametrize(("policy", "written", "code", "end"), FALLBACK.values(), ids=FALLBACK)
def test_the_log_stands_in_for_the_message_of(policy: str, written: bytes, code: int, end: str) -> None:
    found = message(written, code=code, log=LOG, terminationMessagePolicy=policy)
    assert found.endswith(end)
    assert bool(found) == bool(end)
    assert len(found.splitlines()) <= 80


ROOT = Path("/s/root")
PATHS = {
    "a redirection": ("echo x > /dev/termination-log", "echo x > /s/root/dev/termination-log"),
    "without a space": ("echo x >/dev/termination-log;exit 1", "echo x >/s/root/dev/termination-log;exit 1"),
    "in quotes": ("open('/dev/termination-log')", "open('/s/root/dev/termination-log')"),
    "a flag": ("--out=/data/a/b.txt", "--out=/s/root/data/a/b.txt"),
    "a mount path alone": ("/data", "/s/root/data"),
    "the end of a sentence": ("see /data.", "see /s/root/data."),
    "a longer name": ("/database /data-2 /data.old", "/database /data-2 /data.old"),
    "below another folder": ("/srv/data", "/srv/data"),
    "below a variable": ("${JOBFLOW_ROOT}/data", "${JOBFLOW_ROOT}/data"),
    "a path of the machine": ("/usr/bin/env", "/usr/bin/env"),
}


@pytest.mark.parametrize(("word", "wanted"), PATHS.values(), ids=PATHS)
def test_paths_of_the_container_are_moved_below_its_folder(word: str, wanted: str) -> None:
    assert relocate(["sh", word], ["/dev/termination-log", "/data/"], ROOT) == ["sh", wanted]


def test_the_root_as_a_mount_path_moves_nothing() -> None:
    assert relocate(["cat", "/etc/hosts"], ["/"], ROOT) == ["cat", "/etc/hosts"]
