"""The workflow files of CI: their shell steps run here, with commands that only record their arguments."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from release import versions
from release.chart import components
from tests.structure.project import ROOT

COMMANDS: Final = ("docker", "helm", "cosign", "gh", "make")
REGISTRY: Final = "registry.example.com/batch"
FILES_URL: Final = "https://example.com/x/jobs/7/artifacts/raw/dist"
DIGEST: Final = f"sha256:{'b' * 64}"
STUB: Final = f"""#!/usr/bin/env python3
import json, os, sys
with open(os.environ["ASKED"], "a") as asked:
    asked.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
if "--metadata-file" in sys.argv:
    with open(sys.argv[sys.argv.index("--metadata-file") + 1], "w") as file:
        json.dump({{"containerimage.digest": "{DIGEST}"}}, file)
elif "inspect" in sys.argv:
    print("{DIGEST}")
elif sys.argv[1] == "push":
    print("Pushed: x\\nDigest: {DIGEST}", file=sys.stderr)
"""
WORKFLOWS: Final = sorted((ROOT / ".github/workflows").glob("*.yaml"))


class Shell:
    """Runs steps of a workflow in a copy of what they need; `asked`: the commands with their arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._log = folder, folder / "asked"
        self.work = folder / "work"
        shutil.copytree(ROOT / "release", self.work / "release", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "helm/jobflow/Chart.yaml", *(path.name for path in ROOT.glob("Dockerfile.*"))):
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, self.work / name)
        for arguments in (
            ["init", "-q"],
            ["add", "-A"],
            ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *arguments], cwd=self.work, check=True)
        (folder / "bin").mkdir()
        for command in COMMANDS:
            (folder / "bin" / command).write_text(STUB)
            (folder / "bin" / command).chmod(0o755)
        self.env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "ASKED": str(self._log), "HOME": str(folder)}

    def run(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.work,
            env=self.env | env,
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self, command: str, *words: str) -> list[list[str]]:
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [line[1:] for line in lines if line[0] == command and all(word in line for word in words)]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def version() -> str:
    return versions.stated(ROOT)[0][1]


def github_steps() -> list[dict[str, Any]]:
    job = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())["jobs"]["release"]
    return [step for step in job["steps"] if "run" in step]


def gitlab_steps() -> list[str]:
    return list(yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())["release"]["script"])


def check_published(shell: Shell) -> None:
    """Images for both architectures on one base by digest, then chart, then signatures of all of it."""
    builds = shell.asked("docker", "build")
    assert [line[line.index("--file") + 1] for line in builds] == [f"Dockerfile.{name}" for name in components(ROOT)]
    for line in builds:
        assert line[line.index("--platform") + 1] == "linux/amd64,linux/arm64"
        assert f"BASE=python:3.13-slim@{DIGEST}" in line
        assert {"--push", "--sbom=true", "--provenance=mode=max"} <= set(line)
    (files,) = [line for line in shell.asked("make") if line[0] == "release"]
    assert {"URL=https://example.com/x", f"FILES_URL={FILES_URL}"} <= set(files)
    digests = next(word for word in files if word.startswith("DIGESTS="))
    assert set(digests.removeprefix("DIGESTS=").split()) == {f"{name}={DIGEST}" for name in components(ROOT)}
    assert shell.asked("helm", "push") == [["push", f"dist/jobflow-chart-{version()}.tgz", f"oci://{REGISTRY}/charts"]]
    signed = {line[-1] for line in shell.asked("cosign", "sign")}
    images = {f"{REGISTRY}/jobflow-{name}@{DIGEST}" for name in components(ROOT)}
    assert signed == images | {f"{REGISTRY}/charts/jobflow@{DIGEST}"}
    assert {line[-1] for line in shell.asked("cosign", "attest")} == images
    assert shell.asked("cosign", "sign-blob")[0][-1] == "dist/SHA256SUMS"


def test_the_steps_of_github_publish_everything(shell: Shell) -> None:
    shell.work.joinpath("dist").mkdir()
    env_file = shell.folder / "env"
    given = {"REGISTRY": REGISTRY, "REVISION": "abc", "URL": "https://example.com/x", "FILES_URL": FILES_URL}
    given["GITHUB_ENV"] = str(env_file)
    for step in github_steps():
        if env_file.exists():
            given |= dict(line.split("=", 1) for line in env_file.read_text().splitlines())
        ran = shell.run(step["run"], **given, GITHUB_REF_NAME=f"v{version()}", USERNAME="u", PASSWORD="p")
        assert ran.returncode == 0, (step, ran.stderr)
    check_published(shell)
    assert shell.asked("gh", "create", f"v{version()}")


def test_the_steps_of_gitlab_publish_everything(shell: Shell) -> None:
    shell.work.joinpath("dist").mkdir()
    given = {"REGISTRY": REGISTRY, "REVISION": "abc", "CI_COMMIT_TAG": f"v{version()}", "URL": "https://example.com/x"}
    given["CI_JOB_URL"] = FILES_URL.removesuffix("/artifacts/raw/dist")
    ran = shell.run("\n".join(gitlab_steps()), **given, REGISTRY_USERNAME="u", REGISTRY_PASSWORD="p")
    assert ran.returncode == 0, ran.stderr
    check_published(shell)


@pytest.mark.parametrize("tag", ["v9.9.9", "vnext", "v1.2"])
def test_a_tag_that_is_not_the_version_of_the_commit_publishes_nothing(shell: Shell, tag: str) -> None:
    (step,) = [step for step in github_steps() if step.get("name") == "Version"]
    ran = shell.run(step["run"], GITHUB_REF_NAME=tag, GITHUB_ENV=str(shell.folder / "env"))
    assert ran.returncode == 1
    assert not (shell.folder / "env").exists()


def test_a_password_is_in_no_argument_of_a_command(shell: Shell) -> None:
    (step,) = [step for step in github_steps() if step.get("name") == "Log in"]
    shell.run(step["run"], REGISTRY=REGISTRY, USERNAME="u", PASSWORD="secret-word")
    assert shell.asked("docker", "registry.example.com")
    assert not any("secret-word" in word for line in shell.asked("docker") + shell.asked("helm") for word in line)


def test_publishing_needs_its_variables(shell: Shell) -> None:
    assert "VERSION" in shell.run("bash release/publish.sh images").stderr
    given = {"VERSION": "1.2.3", "REGISTRY": REGISTRY, "REVISION": "abc"}
    assert shell.run("bash release/publish.sh everything", **given).returncode == 2


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_of_github_have_few_rights_and_time_limits(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    scripts = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert not any("${{" in script for script in scripts), "what others choose gets into a script by variables only"
