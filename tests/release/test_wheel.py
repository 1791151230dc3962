"""The wheel and the source distribution, installed beside packages that have the names of our folders."""

import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.source import unpack
from tests.release.installed import Installed, build, environment, install
from tests.structure.project import PRODUCT, ROOT, product, pyproject

DECOYS = tuple(name for name in PRODUCT if name != "jobflow")
DOORS = ("_controller", "_webhook", "_certs", "_cli.main", "_local.apiserver", "_local.nodes", "_local.supervisor")
IMPORT_ALL = """
import importlib, json, pkgutil, sys
import jobflow
names = [found.name for found in pkgutil.walk_packages(jobflow.__path__, "jobflow.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(json.dumps({"names": names, "decoys": [name for name in sys.argv[1:] if name in sys.modules]}))
"""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("build_wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("build_sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Beside decoys that were there before."""
    made = environment(tmp_path_factory.mktemp("installed") / "venv")
    for name in DECOYS:
        (made.site_packages / name).mkdir()
        (made.site_packages / name / "__init__.py").write_text('WHO = "somebody else"\n')
        (made.site_packages / name / "__main__.py").write_text('print("somebody else")\n')
    install(wheel, made)
    return made


def test_the_wheel_has_one_top_level_name_and_every_module(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"jobflow"}
    for module in product():
        moved = str(module.path) if module.path.parts[0] == "jobflow" else f"jobflow/_{module.path}"
        assert moved in names


def test_the_wheel_has_every_file_that_is_no_module(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "jobflow/py.typed" in names
    for wing in DECOYS:
        for path in (ROOT / wing).rglob("*.*"):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                assert f"jobflow/_{path.relative_to(ROOT)}" in names


def test_the_source_distribution_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        unpack(archive, tmp_path)
    (top,) = tmp_path.iterdir()
    assert f"{top.name}.tar.gz" == sdist.name
    assert build("build_wheel", top, tmp_path / "dist").read_bytes() == wheel.read_bytes()


def test_two_builds_give_equal_bytes(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    assert build("build_wheel", ROOT, tmp_path).read_bytes() == wheel.read_bytes()
    assert build("build_sdist", ROOT, tmp_path).read_bytes() == sdist.read_bytes()


def test_every_module_can_be_imported_and_none_imports_a_decoy(installed: Installed) -> None:
    ran = installed.run("python", "-c", IMPORT_ALL, *DECOYS)
    assert ran.returncode == 0, ran.stderr
    reported = json.loads(ran.stdout)
    assert reported["decoys"] == []
    assert len(reported["names"]) >= len(product()) - 1


def test_the_decoys_still_work(installed: Installed) -> None:
    for name in DECOYS:
        assert installed.run("python", "-m", name).stdout == "somebody else\n"
        assert installed.run("python", "-c", f"import {name}; print({name}.WHO)").stdout == "somebody else\n"


@pytest.mark.parametrize("door", DOORS)
def test_processes_start_by_python_m_and_call_themselves_by_that_name(door: str, installed: Installed) -> None:
    ran = installed.run("python", "-m", f"jobflow.{door}", "--help")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"usage: python -m jobflow.{door}" if door != "_cli.main" else "usage: jobflow")


@pytest.mark.parametrize("command", sorted(pyproject()["project"]["scripts"]))
def test_every_command_is_installed(command: str, installed: Installed) -> None:
    ran = installed.run(command, "--help" if command != "kubectl_complete-jobflow" else "lint")
    assert ran.returncode == 0, ran.stderr


def test_the_installed_command_knows_its_version(installed: Installed) -> None:
    assert installed.run("jobflow", "--version").stdout == f"jobflow {pyproject()['project']['version']}\n"


def test_the_python_interface_works_from_the_installed_wheel(installed: Installed) -> None:
    code = "from jobflow import Flow, Job\nwith Flow('f') as flow:\n    Job('a', image='i')\nprint(flow.lint())"
    ran = installed.run("python", "-c", code)
    assert ran.returncode == 0, ran.stderr


def test_the_demo_runs_from_the_installed_wheel(installed: Installed) -> None:
    ran = installed.run("jobflow", "local", "demo")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Succeed" in ran.stdout + ran.stderr
