"""A new virtualenv with our wheel in it, and its dependencies taken from the environment of the tests."""

import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.structure.project import ROOT

BUILD = "import sys; from release import backend; print(getattr(backend, sys.argv[1])(sys.argv[2]))"


@dataclass(frozen=True)
class Installed:
    """`folder`: of the virtualenv; commands run in `work`, which is empty at first."""

    folder: Path
    work: Path

    @property
    def site_packages(self) -> Path:
        return self.folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the virtualenv with no variable of ours."""
        return subprocess.run(
            [str(self.folder / "bin" / command), *arguments],
            cwd=self.work,
            env={"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "HOME": str(self.work)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


def build(hook: str, source: Path, target: Path) -> Path:
    """What a hook of the build backend writes: `build_wheel` or `build_sdist`."""
    target.mkdir(exist_ok=True, parents=True)
    ran = subprocess.run(
        [sys.executable, "-c", BUILD, hook, str(target)], cwd=source, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return target / ran.stdout.split()[-1]


def environment(folder: Path) -> Installed:
    """A virtualenv without pip that finds the dependencies; what is editable in ours is not found there."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    made = Installed(folder, folder.parent / "work")
    made.work.mkdir()
    dependencies = str(metadata.distribution("msgspec").locate_file(""))
    assert not Path(dependencies).samefile(ROOT)
    (made.site_packages / "dependencies.pth").write_text(f"{dependencies}\n")
    return made


def install(wheel: Path, into: Installed) -> None:
    """By pip, without dependencies."""
    python = str(into.folder / "bin" / "python")
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", *options, str(wheel)], check=True)
