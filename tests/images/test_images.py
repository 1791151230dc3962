"""All Dockerfiles: every step is carried out, and the result runs alone, read-only and without rights."""

import json
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.client.blocking import until
from local.ports import free_port
from local.processes import Process
from tests.images import confined
from tests.images.build import Build, parse, set_writable

pytestmark = pytest.mark.timeout(600)
OTHERS = {
    "webhook": ("controller", "cli", "web", "tests"),
    "controller": ("webhook", "certs", "cli", "web", "tests"),
    "web": ("cli", "local", "tests"),
}
OWN = {
    "webhook": {"shared", "certs", "webhook"},
    "controller": {"shared", "controller"},
    "web": {"shared", "certs", "webhook", "controller", "drawing", "web"},
}


@pytest.fixture(scope="module", params=["webhook", "controller", "web"])
def image(request: pytest.FixtureRequest) -> Iterator[tuple[str, Build]]:
    """Where every user may look, unlike in pytest's own folders, and none may write."""
    name = request.param
    with tempfile.TemporaryDirectory(prefix=f"image-{name}-") as folder:
        Path(folder).chmod(0o755)
        build = Build(Path.cwd(), f"Dockerfile.{name}", Path(folder) / "scratch")
        set_writable(build.run(), False)
        yield name, build
        set_writable(build.root, True)


UNREADY = {"webhook": ("readyz", 503), "controller": ("readyz", 503), "web": ("signin", 200)}
"""What is answered without an API server."""


def confine(build: Build, *command: str) -> list[str]:
    """As the image's user, with nowhere to write."""
    return [sys.executable, "-I", str(Path(confined.__file__)), build.user, *command]


def python(build: Build, code: str) -> subprocess.CompletedProcess[str]:
    command = confine(build, "python", "-S", "-c", code)
    env = build.environment()
    return subprocess.run(
        command, cwd=build.place("."), env=env, capture_output=True, text=True, check=False, timeout=180
    )


def test_the_image_contains_only_its_own_process(image: tuple[str, Build]) -> None:
    name, build = image
    assert {path.name for path in build.place("/app").iterdir()} == OWN[name] | {"lib"}
    for other in OTHERS[name]:
        assert "ModuleNotFoundError" in python(build, f"import {other}").stderr, other
    assert python(build, f"import {name}.main").stderr == ""


def test_the_image_contains_no_build_tools(image: tuple[str, Build]) -> None:
    _, build = image
    for module in ("pip", "setuptools", "wheel", "pytest", "mypy"):
        assert "ModuleNotFoundError" in python(build, f"import {module}").stderr, module
    final = build.stages[-1]
    assert any("pip uninstall" in step for step in final.values("RUN"))
    assert not any(re.search(r"apt-get|apk|gcc|pip install", step) for step in final.values("RUN"))
    assert final.base.endswith("-slim")


def test_what_the_process_imports_is_compiled_while_the_image_may_be_written(image: tuple[str, Build]) -> None:
    """The base image has no compiled standard library."""
    name, build = image
    steps = build.stages[-1].steps
    (at,) = [
        at for at, (step, given) in enumerate(steps) if step == "RUN" and f'python -c "import {name}.main' in given
    ]
    before, after = ({step for step, _ in part} for part in (steps[:at], steps[at:]))
    assert ("COPY" in before, "USER" in before, "USER" in after) == (True, False, True)


def test_the_image_has_labels_and_a_non_root_user(image: tuple[str, Build]) -> None:
    name, build = image
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", build.user)
    (labels,) = build.stages[-1].values("LABEL")
    assert f'org.opencontainers.image.title="jobflow-{name}"' in labels
    reported = set(re.findall(r"org\.opencontainers\.image\.([a-z.]+)=", labels))
    assert {"description", "licenses", "version", "revision", "created", "source", "base.name"} <= reported
    assert "healthz" in build.stages[-1].values("HEALTHCHECK")[-1]
    assert build.entrypoint == ["python", "-m", name]


def test_the_image_runs_as_non_root_with_a_read_only_file_system(image: tuple[str, Build]) -> None:
    """Otherwise the next test would show nothing."""
    _, build = image
    reported = json.loads(python(build, TRY).stdout)
    assert f"{reported['user']}:{reported['group']}" == build.user
    assert reported["capabilities"] == 0
    places = ["/app", *(["/tmp", "/var/tmp"] if confined.version() else [])]
    assert {place: reported["places"][place] for place in places} == dict.fromkeys(places, "refused")


TRY = """
import json, os
def attempt(place):
    try:
        open(f"{place}/jobflow-test", "x").close()
    except OSError:
        return "refused"
    os.remove(f"{place}/jobflow-test")
    return "written"
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "user": os.getuid(), "group": os.getgid(), "capabilities": int(status["CapEff"], 16),
    "places": {"/app": attempt("."), "/tmp": attempt("/tmp"), "/var/tmp": attempt("/var/tmp")},
}))
"""


def test_the_image_is_healthy_without_writable_directories(image: tuple[str, Build], tmp_path: Path) -> None:
    """Without an API server that answers, it is live and not ready."""
    name, build = image
    port = free_port()
    kubeconfig = build.scratch / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    arguments = [f"--kubeconfig={kubeconfig}", f"--health-port={port}"]
    arguments += ["--cert-secret=x", "--port=0"] if name == "webhook" else []
    if name == "web":  # it has no port but that of its pages, and asks the API server only for people
        arguments = ["--api-server=https://127.0.0.1:1", "--plain-http", f"--port={port}"]
    before = files(build)
    command = confine(build, "sh", "-c", 'cd "$0" && exec "$@"', str(build.place(".")), *build.entrypoint, *arguments)
    process = Process(name, command, tmp_path / "log", build.environment())
    try:
        until(lambda: status(port, "healthz") == 200 or not process.running, 120, process.tail)
        assert process.running, process.tail()
        path, code = UNREADY[name]
        assert status(port, path) == code
        assert files(build) == before
    finally:
        assert process.stop(30) == 0, process.tail()


def files(build: Build) -> set[Path]:
    return set(build.place("/app").rglob("*"))


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def test_a_broken_dockerfile_is_detected(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python AS build\nWORKDIR /app\nRUN cp nothing here\n")
    with pytest.raises(RuntimeError, match="cp nothing here"):
        Build(tmp_path, "Dockerfile", tmp_path / "scratch").run()
    with pytest.raises(ValueError, match="no stage"):
        parse("RUN true\n")


KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
"""


@pytest.mark.parametrize("path", sorted(Path.cwd().glob("Dockerfile.*")), ids=lambda path: path.name)
def test_one_variable_sets_the_base_and_all_packages_have_hashes(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"(?m)^FROM (\S+)", text) == ["$BASE", "$BASE"]
    assert len(re.findall(r"(?m)^ARG BASE=", text)) == 1
    installs = re.findall(r"(?m)^RUN .*pip install.*", text)
    assert installs
    assert all("--require-hashes --no-deps" in each and "requirements-images.lock" in each for each in installs)


@pytest.mark.parametrize("path", sorted(Path.cwd().glob("Dockerfile.*")), ids=lambda path: path.name)
def test_docker_is_sent_everything_that_is_copied(path: Path) -> None:
    sent = {line[1:] for line in Path(".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in re.findall(r"(?m)^COPY (?!--from)(.*)", path.read_text()) for word in line.split()[:-1]}
    assert copied <= sent
