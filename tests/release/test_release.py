"""`make release`: every file, one version in all of them, equal bytes of two builds."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from email import message_from_string
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

import pytest
import yaml

from release import __main__ as command
from release import notes, source, versions
from release.chart import Publication, components
from tests.helm.chart import helm
from tests.structure.project import ROOT, committed_files

VERSION: Final = "7.8.9"
TIME: Final = 1_790_000_000
IMAGES: Final = components(ROOT)
DIGEST: Final = f"sha256:{'a' * 64}"
PUBLISHED: Final = Publication("registry.example.com/batch", {"webhook": DIGEST}, "https://example.com/jobflow")

pytestmark = pytest.mark.timeout(600)


def tree(folder: Path) -> Path:
    """A copy of the files that are or will be committed."""
    for path in committed_files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def built(folder: Path, publication: Publication) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", str(TIME))
        command.build(tree(folder / "tree"), VERSION, folder / "dist", publication)
    return folder / "dist"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("release"), PUBLISHED)


def chart(dist: Path, name: str) -> Any:
    with tarfile.open(dist / f"jobflow-chart-{VERSION}.tgz") as packed:
        file = packed.extractfile(f"jobflow/{name}")
        assert file is not None
        return yaml.safe_load(file.read())


def test_a_release_has_all_files_and_their_checksums(dist: Path) -> None:
    bills = {f"jobflow-{image}-{VERSION}.cdx.json" for image in IMAGES}
    packages = {f"jobflow-{VERSION}-py3-none-any.whl", f"jobflow-{VERSION}.tar.gz", f"jobflow-chart-{VERSION}.tgz"}
    packages |= {f"kubectl-jobflow-{VERSION}.tar.gz", "jobflow.krew.yaml"}
    others = {"install.yaml", "crds.yaml", "requirements.lock", "RELEASE_NOTES.md"}
    assert {path.name for path in dist.iterdir()} == bills | packages | others | {"SHA256SUMS"}
    lines = [line.split("  ") for line in (dist / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == bills | packages | others
    assert all(hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest for digest, name in lines)


def test_two_builds_give_equal_bytes(dist: Path, tmp_path: Path) -> None:
    again = built(tmp_path, PUBLISHED)
    different = [path.name for path in dist.iterdir() if path.read_bytes() != (again / path.name).read_bytes()]
    assert different == []


def test_the_archives_carry_the_time_of_the_commit_and_no_owner(dist: Path) -> None:
    for name in (f"jobflow-chart-{VERSION}.tgz", f"jobflow-{VERSION}.tar.gz"):
        with tarfile.open(dist / name) as packed:
            assert {(member.mtime, member.uid, member.uname) for member in packed} == {(TIME, 0, "")}


def test_one_version_is_everywhere(dist: Path) -> None:
    metadata = ZipFile(dist / f"jobflow-{VERSION}-py3-none-any.whl").read(f"jobflow-{VERSION}.dist-info/METADATA")
    assert message_from_string(metadata.decode())["Version"] == VERSION
    about = chart(dist, "Chart.yaml")
    assert (about["version"], about["appVersion"]) == (VERSION, VERSION)
    installed = list(yaml.safe_load_all((dist / "install.yaml").read_text()))
    labels = {body["metadata"].get("labels", {}).get("app.kubernetes.io/version", VERSION) for body in installed}
    assert labels == {VERSION}
    assert f"jobflow-controller:{VERSION}" in (dist / "install.yaml").read_text()
    for image in IMAGES:
        bill = json.loads((dist / f"jobflow-{image}-{VERSION}.cdx.json").read_text())
        assert bill["metadata"]["component"]["version"] == VERSION


def test_the_repository_states_one_version() -> None:
    assert len({said for _, said in versions.stated(ROOT)}) == 1
    (said,) = {said for _, said in versions.stated(ROOT)}
    named = re.findall(r"jobflow-(?:webhook|controller):(\d\S*?)[ `;]", (ROOT / "docs/operate.md").read_text())
    assert set(named) <= {said}


def test_the_chart_points_at_the_published_images(dist: Path) -> None:
    expected = {
        f"registry.example.com/batch/jobflow-webhook@{DIGEST}",
        f"registry.example.com/batch/jobflow-controller:{VERSION}",
    }
    found = set(re.findall(r"image: \"?(\S*jobflow-[^\s\"]+)", (dist / "install.yaml").read_text()))
    assert found >= expected
    images = yaml.safe_load(chart(dist, "Chart.yaml")["annotations"]["artifacthub.io/images"])
    assert {each["image"] for each in images} >= expected


def test_the_annotations_are_what_artifact_hub_reads(dist: Path) -> None:
    about = chart(dist, "Chart.yaml")
    notes = about["annotations"]
    assert all(isinstance(value, str) for value in notes.values())
    crds = yaml.safe_load(notes["artifacthub.io/crds"])
    assert {each["name"] for each in crds} == {
        path.stem.partition("_")[2] + "." + path.stem.partition("_")[0]
        for path in (ROOT / "helm/jobflow/files/crds").iterdir()
    }
    assert all(each["description"] and each["displayName"] and each["version"] for each in crds)
    examples = yaml.safe_load(notes["artifacthub.io/crdsExamples"])
    assert {each["kind"] for each in examples} == {"JobFlow", "JobTemplate"}
    assert all(isinstance(each, str) for each in yaml.safe_load(notes["artifacthub.io/changes"]))
    assert notes["artifacthub.io/license"] == "Apache-2.0"
    assert about["home"] == PUBLISHED.url


def test_helm_takes_the_packaged_chart(dist: Path) -> None:
    packed = str(dist / f"jobflow-chart-{VERSION}.tgz")
    for arguments in (["lint", "--strict", packed], ["show", "crds", packed], ["template", "x", packed]):
        ran = subprocess.run([helm(), *arguments], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_bills_name_what_the_images_have_and_nothing_else(dist: Path) -> None:
    locked = re.findall(r"(?m)^([\w.-]+)==(\S+)", (ROOT / "requirements-images.lock").read_text())
    for image in IMAGES:
        bill = json.loads((dist / f"jobflow-{image}-{VERSION}.cdx.json").read_text())
        found = {(each["name"].lower().replace("_", "-"), each["version"]) for each in bill["components"]}
        assert found == {(name.lower().replace("_", "-"), version) for name, version in locked}
        assert bill["metadata"]["component"]["name"] == f"jobflow-{image}"
        assert "serialNumber" not in bill
        assert all(each.get("purl", "").startswith("pkg:pypi/") for each in bill["components"])


def test_no_file_names_the_machine_that_built_it(dist: Path, tmp_path: Path) -> None:
    for path in dist.iterdir():
        assert str(ROOT).encode() not in path.read_bytes(), path.name
        assert b"file://" not in path.read_bytes(), path.name


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3-rc.1", "01.2.3", "1.2.3\n", "1.2.3; x"])
def test_a_version_that_is_none_is_refused(version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([version, "--out", str(tmp_path / "dist")]) == 1
    assert "must be three numbers" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


def test_only_what_is_committed_is_released(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "kept").write_text("1")
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=repository, check=True)
    (repository / "kept").write_text("2")
    (repository / "new").write_text("")
    commit = source.check_out(repository, "HEAD", tmp_path / "stage")
    assert {path.name: path.read_text() for path in (tmp_path / "stage").iterdir()} == {"kept": "1"}
    assert re.fullmatch("[0-9a-f]{40}", commit.revision)
    assert sorted(source.uncommitted(repository)) == ["kept", "new"]
    with pytest.raises(source.SourceError, match="git log"):
        source.check_out(repository, "no-such-commit", tmp_path / "other")


CHANGELOG = "# Changelog\n\n## Unreleased\n\n- One\n  and more.\n- Two.\n\n## 1.0.0 (2026-01-01)\n\n- Three.\n"


@pytest.mark.parametrize(("version", "changes"), [("1.0.0", ["Three."]), ("2.0.0", ["One and more.", "Two."])])
def test_notes_are_those_of_the_version_or_else_of_what_is_unreleased(version: str, changes: list[str]) -> None:
    assert notes.entries(CHANGELOG, version) == changes
    assert "- " + changes[0] in notes.page(version, changes, ["a.whl"])
