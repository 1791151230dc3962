"""The plugin for Krew: what its manifest says is true, and its launcher installs once and then only starts the command."""

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Final

import pytest
import yaml

from release import krew
from release.chart import Publication
from release.source import unpack
from tests.structure.project import ROOT

PYTHON: Final = """#!/bin/sh
echo "$(basename "$0") $*" >>"$ASKED"
case "$*" in
    -c*) exit "${TOO_OLD:-0}" ;;
    "-m venv"*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && printf '#!/bin/sh\\necho "ran $*"\\n' >"$3/bin/kubectl-jobflow" && chmod +x "$3/bin/kubectl-jobflow" ;;
    *"--require-hashes"*) exit "${NO_REGISTRY:-0}" ;;
esac
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The unpacked archive, behind a link, as Krew installs it."""
    wheel, lock = tmp_path / "jobflow-1.2.3-py3-none-any.whl", tmp_path / "requirements.lock"
    wheel.write_bytes(b"wheel")
    lock.write_text("a==1 --hash=sha256:0\n")
    packed = tmp_path / "kubectl-jobflow-1.2.3.tar.gz"
    packed.write_bytes(krew.archive_of(ROOT, wheel, lock))
    with tarfile.open(packed) as archive:
        unpack(archive, tmp_path / "store")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl-jobflow").symlink_to(tmp_path / "store" / "kubectl-jobflow")
    (tmp_path / "bin" / "python3").write_text(PYTHON)
    (tmp_path / "bin" / "python3").chmod(0o755)
    return tmp_path


def call(plugin: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{plugin / 'bin'}:{os.environ['PATH']}"
    command = [str(plugin / "bin" / "kubectl-jobflow"), *arguments]
    env = {"PATH": path, "ASKED": str(plugin / "asked"), **env}
    return subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False)


def test_the_first_call_installs_and_later_ones_do_not(plugin: Path) -> None:
    first = call(plugin, "list", "a b")
    assert (first.returncode, first.stdout) == (0, "ran list a b\n")
    assert "only this once" in first.stderr
    asked = (plugin / "asked").read_text()
    assert "--require-hashes --only-binary=:all:" in asked
    assert "--no-index" in asked
    second = call(plugin, "list")
    assert (second.returncode, second.stdout, second.stderr) == (0, "ran list\n", "")
    assert (plugin / "asked").read_text() == asked


def test_an_installation_that_failed_is_begun_again(plugin: Path) -> None:
    assert call(plugin, "list", NO_REGISTRY="7").returncode == 7
    assert call(plugin, "list").stdout == "ran list\n"


def test_an_old_python_is_told_with_the_remedy(plugin: Path) -> None:
    ran = call(plugin, "list", TOO_OLD="1")
    assert ran.returncode == 1
    assert "needs Python 3.11 or newer: set JOBFLOW_PYTHON" in ran.stderr


def test_the_manifest_names_the_archive_for_every_platform(plugin: Path) -> None:
    packed = plugin / "kubectl-jobflow-1.2.3.tar.gz"
    published = Publication(url="https://example.com/jobflow", files_url="https://example.com/files/v1.2.3/")
    body = yaml.safe_load(krew.manifest(packed, "1.2.3", published))
    assert body["spec"]["homepage"] == "https://example.com/jobflow"
    assert body["spec"]["version"] == "v1.2.3"
    platforms = body["spec"]["platforms"]
    labels = [tuple(each["selector"]["matchLabels"].values()) for each in platforms]
    assert sorted(labels) == [("darwin", "amd64"), ("darwin", "arm64"), ("linux", "amd64"), ("linux", "arm64")]
    for each in platforms:
        assert each["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
        assert each["uri"] == "https://example.com/files/v1.2.3/kubectl-jobflow-1.2.3.tar.gz"
        assert (plugin / "store" / each["bin"]).is_file()


def test_a_manifest_of_files_that_are_not_published_names_no_place_that_does_not_exist(plugin: Path) -> None:
    packed = plugin / "kubectl-jobflow-1.2.3.tar.gz"
    spec = yaml.safe_load(krew.manifest(packed, "1.2.3", Publication()))["spec"]
    assert "homepage" not in spec
    assert {each["uri"] for each in spec["platforms"]} == {packed.name}
