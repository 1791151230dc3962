"""The lock files: complete, with hashes, for every platform and Python; and what is said where nothing can be installed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.requirements import entries, installable, problem
from tests.structure.project import ROOT, pyproject

LOCKS: Final = ("requirements.lock", "requirements-images.lock")
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS: Final = {
    "Linux on x86-64": ["manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"],
    "Linux on aarch64": ["manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
    "macOS on Apple silicon": ["macosx_14_0_arm64"],
}  # fmt: skip


def pins(name: str) -> dict[str, str]:
    """Package -> its entry of a lock file."""
    found = [entry for entry in entries((ROOT / name).read_text()) if not entry.startswith("#")]
    return {canonicalize_name(entry.partition("==")[0]): entry for entry in found}


def _pinned(entry: str) -> str:
    """The version and the hashes of an entry, without the marker that says where it is needed."""
    return re.sub(r" ;[^\\\n]*", " ", entry)


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_no_line_names_a_registry(name: str) -> None:
    found = pins(name)
    assert len(found) > 30
    assert [package for package, entry in found.items() if "--hash=sha256:" not in entry] == []
    text = (ROOT / name).read_text()
    assert re.findall(r"(?m)://|^\s*-{1,2}(?:index|extra-index|find-links|i )", text) == []


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    project = pyproject()["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    found = {
        package: Requirement(entry.partition("--hash")[0].strip(" \\\n")) for package, entry in pins(LOCKS[0]).items()
    }
    for requirement in map(Requirement, wanted):
        pin = found.get(canonicalize_name(requirement.name))
        assert pin, f"{requirement.name}: run make lock"
        (version,) = pin.specifier
        assert requirement.specifier.contains(version.version), f"{requirement}: run make lock"


def test_images_get_the_same_versions_and_nothing_for_development() -> None:
    all_pins, image = (pins(name) for name in LOCKS)
    other = {package: entry for package, entry in image.items() if _pinned(all_pins.get(package, "")) != _pinned(entry)}
    assert other == {}
    assert {"pytest", "mypy", "setuptools", "fast-sugiyama"} & set(image) == set()
    assert {"aiohttp", "uvloop", "cel-expr-python"} <= set(image)


CASES: Final = {
    "a current distribution": ("linux", (2, 36), ""),
    "macOS": ("darwin", None, ""),
    "musl": ("linux", None, "the C library of this Linux is not glibc"),
    "an old glibc": ("linux", (2, 17), "this Linux has glibc 2.17"),
    "the oldest glibc that will do": ("linux", (2, 28), ""),
}


@pytest.mark.parametrize(("platform", "libc", "said"), CASES.values(), ids=CASES)
def test_a_machine_without_wheels_gets_a_sentence(platform: str, libc: tuple[int, int] | None, said: str) -> None:
    found = problem(platform, libc)
    assert found.startswith(said)
    assert bool(found) is bool(said)


def test_only_the_layout_of_large_graphs_is_left_out_where_its_wheel_is_missing() -> None:
    lock = (ROOT / LOCKS[0]).read_text()
    assert installable(lock, "linux", (2, 34)) == installable(lock, "darwin", None) == lock
    old = installable(lock, "linux", (2, 31))
    assert set(pins(LOCKS[0])) - {entry.partition("==")[0] for entry in entries(old)} >= {"fast-sugiyama"}
    assert lock.count("==") - old.count("==") == 1


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_pin_has_a_wheel(platform: str, python: str, tmp_path: Path) -> None:
    """Asks the package registry. On macOS with Intel, cryptography has no wheel and is built."""
    lock = "".join(entry for entry in entries((ROOT / LOCKS[0]).read_text()) if "sys_platform == 'win32'" not in entry)
    (tmp_path / "lock").write_text(lock)
    tags = [word for tag in PLATFORMS[platform] for word in ("--platform", tag)]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
    ]
    command += [*tags, "--python-version", python, "--dest", str(tmp_path), "--requirement", str(tmp_path / "lock")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
